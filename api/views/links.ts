import type { z } from '@hono/zod-openapi'
import type { Catalog } from '../../catalog/index.ts'
import { bandwidthAt, linkKey, type LinkDirection } from '../../policy/index.ts'
import { limitsView, type BandwidthShares } from '../bandwidth.ts'
import type { linksSchema } from '../schemas/slots.ts'

type Link = z.infer<typeof linksSchema>['items'][number]

/** By their ends, with what is on and what moves at this moment. */
export function linksView(catalog: Catalog, shares: BandwidthShares, nowMs: number): Link[] {
  return catalog.links.list().map((link) => {
    const now = (direction: LinkDirection): Link['now']['backup'] => ({
      ...bandwidthAt(link[direction], link.timeZone, nowMs),
      copies: shares.copies(linkKey(link, direction)),
    })
    const { hypervisorId, repositoryId, timeZone, backup, restore } = link
    const limits = { backup: limitsView(backup), restore: limitsView(restore) }
    return { hypervisorId, repositoryId, timeZone, ...limits, now: { backup: now('backup'), restore: now('restore') } }
  })
}
