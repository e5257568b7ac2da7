import type { z } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import type { MirrorPair, ShipmentRow } from '../../catalog/index.ts'
import type { ApiDeps } from '../deps.ts'
import type { shipmentBody } from '../schemas/mirrors.ts'

const longestMs = 90 * 86_400_000

/** Throws NotFound and InvalidRequest. */
export function ship(
  { catalog, now }: Pick<ApiDeps, 'catalog' | 'now'>,
  { sourceId, targetId }: MirrorPair,
  { untilMs, note }: z.infer<typeof shipmentBody>,
  user: string,
): ShipmentRow {
  const [source, target] = [catalog.repositories.get(sourceId), catalog.repositories.get(targetId)]
  if (source.id === target.id)
    throw new HoldfastError('InvalidRequest', 'nothing is shipped from a repository to itself', {
      hint: 'Name another repository as the target.',
    })
  if (untilMs <= now() || untilMs > now() + longestMs)
    throw new HoldfastError('InvalidRequest', 'media are expected in the future, and within 90 days', {
      hint: 'Give the date by which they should be there; it can be changed later.',
    })
  return catalog.shipments.put({ sourceId: source.id, targetId: target.id }, { untilMs, note, user })
}

/** Throws NotFound where nothing is on its way between the two. */
export function arrive({ catalog }: Pick<ApiDeps, 'catalog'>, pair: MirrorPair): void {
  if (catalog.shipments.end(pair)) return
  throw new HoldfastError('NotFound', `nothing is on its way from ${pair.sourceId} to ${pair.targetId}`, {
    hint: 'The page Repositories shows what is on its way between which two.',
  })
}
