/**
 * The simple profile (§9.4): mark at G1 and condemn only packs without a mark, stop for every record that is new, and
 * at G3b look only at roots that were not seen whole at G1. §9.2's milder rule for roots without `.ok` is here: what is
 * proved absent is skipped, and the root counts as not seen. The adversary takes a skipped blob to be a page that names
 * everything else, so nothing of such a root is marked or, at G3b, reprieved.
 */
import { isPresent } from './knowledge.ts'
import type { Machine } from './machine.ts'
import { listRoots, rootBits, rootSet } from './snapshots.ts'
import { collectorAt } from './state.ts'
import { holders, holdersOfNeeds, needs, packCount } from './world.ts'

/** G1 after the listing: roots, mark, candidates (§9.2, §9.3). Which home a hint names, the adversary chooses. */
export function chooseUnmarked(m: Machine, g: number, who: string): void {
  const s = m.current
  const v = s.collectors[g]!
  const listed = v.condemned
  const roots = listRoots(m) | (s.hold === 1 ? rootBits.hold : 0)
  const sets = rootSet(roots)
  const homes = listed & ~v.view
  const abandoned = listed & v.view & ~v.todo
  // Uploaded after the listing: no candidate of this run, so it needs no mark.
  const newer = s.packs & ~listed

  let seen = 0
  let lost = (roots & rootBits.unreadable) !== 0
  const marks: number[] = []
  for (let k = 0; k < 3; k++) {
    if (((sets >> k) & 1) === 0) continue
    const places: number[] = []
    const pending: number[] = []
    let skipped = false
    for (const c of needs[k]!) {
      const inView = homes & holders[c]!
      const inAbandoned = abandoned & holders[c]!
      if (inView !== 0) places.push(inView)
      else if ((newer & holders[c]!) !== 0) continue
      else if (inAbandoned === 0) skipped = true
      else if (!m.breaks('pending_not_marked')) pending.push(inAbandoned)
    }
    if (skipped && ((roots >> (rootBits.validated + k)) & 1) === 1) lost = true
    // The set may still become final: its run is only presumed dead. So every home in a pending set is marked (§9.2, 3).
    for (const homesThere of pending) {
      if (m.breaks('pending_marked_once')) places.push(homesThere)
      else for (let p = 0; p < packCount; p++) if (((homesThere >> p) & 1) === 1) places.push(1 << p)
    }
    if (!skipped) marks.push(...places)
    if (!skipped || m.breaks('skipped_counts_as_seen')) seen |= 1 << k
  }
  if (lost) {
    m.begin().end(g)
    m.emit(who, 'G1 §9.2', 'finds a blob of a recovery point lost, or a root unreadable: alarm, the run ends')
    return
  }

  const condemn = (set: number): void => {
    // Each blob is marked in one of its places: a set may be condemned if it leaves one of them alone.
    for (const place of marks) if ((place & ~set) === 0) return
    const x = m.begin().collectors[g]!
    x.at = collectorAt.g2
    x.condemned = set
    x.view = 0
    x.todo = 0
    x.seen = seen
    m.emit(who, 'G1 §9.3', 'marks what the roots need and condemns, of what is left', set)
  }
  const candidates = listed & ~v.todo
  for (let p = 0; p < packCount; p++) {
    if (((candidates >> p) & 1) === 0) continue
    condemn(1 << p)
    if (m.bounds.condemn < 2) continue
    for (let q = p + 1; q < packCount; q++) if (((candidates >> q) & 1) === 1) condemn((1 << p) | (1 << q))
  }
}

/** §9.4, 2: any present record that was not present at G0, other than the own one. */
export function mustStopStrictly(m: Machine, g: number): boolean {
  const others = m.current.collectors[g]!.others
  for (let j = 0; j < 3; j++) {
    if (j === g || ((others >> j) & 1) === 1) continue
    if (isPresent(m.current.records[j]!) && !m.breaks('no_epoch_rule')) return true
  }
  return false
}

/** §9.4, 3: every candidate with a blob that an unseen root needs is reprieved. Undefined: the run must end (§9.2). */
export function coarseReprieve(m: Machine, g: number, roots: number): number | undefined {
  const s = m.current
  const v = s.collectors[g]!
  let final = v.condemned
  const unseen = rootSet(roots) & ~v.seen
  for (let k = 0; k < 3; k++) {
    if (((unseen >> k) & 1) === 0) continue
    const absent = needs[k]!.some((c) => (s.packs & holders[c]!) === 0)
    if (absent && ((roots >> (rootBits.validated + k)) & 1) === 1) return undefined
    if (!absent) final &= ~holdersOfNeeds[k]!
  }
  return final
}
