/** What must hold in every reachable state (§10.1, §11.2, §11.4), and facts that a run must have met to prove much. */
import { file, placerAt, report, type State } from './state.ts'
import { snapshotName } from './snapshots.ts'
import { chunkNames, holders, needs, parent } from './world.ts'

const countedFiles = file.m | file.ok | file.t
const live = file.m | file.ok

/**
 * 1. Each recovery point (`.m .ok`, no `.t`) has an existing pack for each chunk it needs. A manifest without `.ok` is
 *    a root for collectors, but has promised nothing to anybody.
 * 2. What a writer reported as a success is a recovery point.
 * 3. What is held, confirmed, is there: its `.m`, its `.ok` and its chunks, tombstone or not.
 */
export function violation(s: State): string | undefined {
  for (let k = 0; k < 3; k++) {
    const files = s.snapshots[k]!
    if (k !== parent && s.writers[k]!.report === report.success && (files & countedFiles) !== live) {
      return `writer ${k} reported success, and its snapshot is no recovery point`
    }
    const held = k === parent && s.placer === placerAt.confirmed
    if (held && (files & live) !== live) return 'the hold on the parent was confirmed, and its .m or .ok is gone'
    if (!held && (files & countedFiles) !== live) continue
    for (const c of needs[k]!) {
      if ((s.packs & holders[c]!) !== 0) continue
      const why = held ? 'held' : 'a recovery point'
      return `chunk ${chunkNames[c]} is lost: ${snapshotName(k)} is ${why} and needs it, and no pack holds it`
    }
  }
  return undefined
}

/** Facts by bit. A configuration names those it must meet, so that a run in which nothing happened is no proof. */
export const factNames = [
  'a backup is validated',
  'the floor has risen',
  'a confirmed hold outlives a tombstone',
  'an abandoned manifest is tombstoned',
  'a late writer reports failure',
  'all files of a tombstoned snapshot are removed',
  'a rescued chunk is stored',
] as const
export type Fact = (typeof factNames)[number]

const rescues = 0b11_1111_0000

export function facts(s: State): number {
  let met = 0
  for (let k = 0; k < 2; k++) {
    if ((s.snapshots[k]! & live) === live) met |= 1
    if (s.writers[k]!.report === report.failure) met |= 16
  }
  if (s.floor > 1) met |= 2
  if (s.placer === placerAt.confirmed && (s.snapshots[parent]! & file.t) !== 0) met |= 4
  if ((s.snapshots[0]! & file.t) !== 0) met |= 8
  if (s.snapshots[parent] === 0) met |= 32
  if ((s.packs & rescues) !== 0) met |= 64
  return met
}
