/** Mirror at the control plane: the catalog says what is wanted, and learns what came of it. */
import type { Catalog } from '../../catalog/index.ts'
import type { MirrorRecordActivities } from './types.ts'

/** Copies in hand at a time: input and result of a step stay below 8 KiB, and a run that dies holds few. */
const batch = 8

export function createMirrorRecordActivities({ mirrors }: Catalog): MirrorRecordActivities {
  return {
    nextCopies: async ({ runId, sourceId, targetId, done, atMs, wants }) => {
      const pair = { sourceId, targetId }
      mirrors.record(pair, runId, done, atMs)
      return { copies: wants ? mirrors.take(pair, runId, { nowMs: atMs, limit: batch }) : [] }
    },
    releaseCopies: async ({ runId, sourceId, targetId, problem, atMs }) =>
      mirrors.release({ sourceId, targetId }, runId, problem, atMs),
  }
}
