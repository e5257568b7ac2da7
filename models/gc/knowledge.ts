/** The knowledge rule (§8.1, §8.2): the only way to decide that a pack may be relied upon. */
import type { Machine } from './machine.ts'
import { record, type GcRecord, type State } from './state.ts'

/** The record is visible in a LIST of `gc/`. */
export function isPresent(r: GcRecord): boolean {
  return r.state === record.pending || r.state === record.final
}

/** §8.1, 6: set(r) is the final set if `.f` exists, else everything condemned. */
export function speaksFor(r: GcRecord): number {
  return r.state === record.pending ? r.condemned : r.final
}

/** §8.1, 6: E = max(largest epoch present, F − 1). Epochs are never used twice. */
export function readBase(s: State): number {
  let base = s.floor - 1
  for (const r of s.records) if (isPresent(r) && r.epoch > base) base = r.epoch
  return base
}

/** §8.1, 6: the union of the sets of all present records. */
export function readDead(s: State): number {
  let dead = 0
  for (const r of s.records) if (isPresent(r)) dead |= speaksFor(r)
  return dead
}

/**
 * §8.2: knowledge (p, e) is usable if F ≤ e + 1 and no present record after e speaks for p. With several stamps (bits
 * of `stamps`) p is usable if any is, so the question is whether a stamp reaches the lowest usable one.
 */
export function isUsable(machine: Machine, s: State, pack: number, stamps: number): boolean {
  let lowest = 0
  if (s.floor > 1 && !machine.breaks('no_floor')) lowest = s.floor - 1
  for (const r of s.records) {
    if (r.epoch > lowest && isPresent(r) && ((speaksFor(r) >> pack) & 1) === 1) lowest = r.epoch
  }
  return stamps >> lowest !== 0
}
