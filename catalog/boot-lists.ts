import { eq } from 'drizzle-orm'
import type { CatalogContext } from './context.ts'
import { bootLists } from './schema.ts'

export type BootListRow = Omit<typeof bootLists.$inferSelect, 'vmId'>

/** What a boot of a VM reads first. Lists are small, and there is one for each VM: the newest. */
export interface BootListQueries {
  /** Replaces what an earlier drill has shown; one that is written down late replaces no later one. */
  keep(vmId: string, list: BootListRow): void
  of(vmId: string): BootListRow | null
}

export function bootListQueries({ db, publish }: CatalogContext): BootListQueries {
  const of = (vmId: string): BootListRow | null => {
    const found = db.select().from(bootLists).where(eq(bootLists.vmId, vmId)).get()
    if (found === undefined) return null
    const { vmId: _, ...list } = found
    return list
  }
  return {
    of,
    keep(vmId, { drillId, recordedMs, bytes, disks }) {
      const known = of(vmId)
      if (known !== null && known.recordedMs > recordedMs) return
      const list = { drillId, recordedMs, bytes, disks }
      db.insert(bootLists)
        .values({ vmId, ...list })
        .onConflictDoUpdate({ target: bootLists.vmId, set: list })
        .run()
      publish('vm', vmId)
    },
  }
}
