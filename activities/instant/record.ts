/** Instant restores at the control plane: what lists and reminders are made from, as long as one runs and afterwards. */
import type { Catalog } from '../../catalog/index.ts'
import type { InstantRecordActivities } from './types.ts'

export function createInstantRecordActivities(catalog: Catalog): InstantRecordActivities {
  return {
    recordInstant: async ({ stem, boot = null, ...row }) => {
      catalog.instants.started({ ...row, boot, pointId: catalog.copies.pointIdOf(stem) })
    },
    recordInstantState: async ({ runId, state, error, atMs }) => {
      const note = error && { code: error.code, message: error.message, hint: error.hint, docs: error.docs }
      catalog.instants.observe(runId, { state, error: note, atMs })
    },
  }
}
