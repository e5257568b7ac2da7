/**
 * Snapshots and who gives them up: which are roots (§3.3, §9.2), the placer of holds (§11.2), the remover of
 * tombstoned objects (§11.3) and the cleaner of abandoned manifests (§11.4). All publish first and look afterwards.
 */
import type { Machine } from './machine.ts'
import { cleanerAt, file, placerAt, removerAt, report, writerAt } from './state.ts'
import { parent } from './world.ts'

const live = file.m | file.ok

/** §3.3: a recovery point counts as parent while `.m` and `.ok` are there and `.t` is not. */
export function parentIsLive(m: Machine): boolean {
  const files = m.current.snapshots[parent]!
  if ((files & live) !== live) return false
  if ((files & file.t) === 0) return true
  return m.current.hold === 1 && m.breaks('held_parent_eligible')
}

/**
 * What one LIST of `snap/` says, before `hold/` is listed, as bits: 0–2 roots if no hold exists, 3–5 roots if one does
 * (§11.2: a tombstone does not count while a hold exists), 6 a root that is known and cannot be read (`.ok` without
 * `.m`, §3.3), 7 a hold (filled in when `hold/` is listed), 8–10 validated, so that a missing blob is an alarm (§9.2).
 */
export const rootBits = { ifHeld: 3, unreadable: 1 << 6, hold: 1 << 7, validated: 8 } as const

export function listRoots(m: Machine): number {
  let roots = 0
  for (let k = 0; k < 3; k++) {
    const files = m.current.snapshots[k]!
    const tombstoned = (files & file.t) !== 0
    if ((files & file.m) === 0) {
      if ((files & file.ok) !== 0 && !tombstoned) roots |= rootBits.unreadable
      continue
    }
    if (k !== parent && (files & file.ok) === 0 && m.breaks('only_ok_roots')) continue
    if (k !== parent && m.breaks('no_g3')) continue
    if (!tombstoned) roots |= 1 << k
    if (!tombstoned || k === parent) roots |= 1 << (rootBits.ifHeld + k)
    if (!tombstoned && (files & file.ok) !== 0) roots |= 1 << (rootBits.validated + k)
  }
  return roots
}

/** The roots among what `listRoots` saw, now that it is known whether a hold exists. */
export function rootSet(roots: number): number {
  return ((roots & rootBits.hold) !== 0 ? roots >> rootBits.ifHeld : roots) & 0b111
}

/**
 * §7.2, W3: after `.ok` the writer lists its stem. `.a` or `.t` present, or its own `.m` or `.ok` not: it reports
 * failure. A writer that slept until even `.a` and `.t` were removed (§11.3) learns it only from the missing `.m`.
 */
export function listStem(m: Machine, i: number, who: string): void {
  const files = m.current.snapshots[i]!
  let good = (files & (file.a | file.t)) === 0 || m.breaks('success_unlisted')
  if (good && (files & live) !== live) good = m.breaks('success_unlisted') || m.breaks('success_without_m')
  const x = m.begin().writers[i]!
  x.at = writerAt.done
  x.report = good ? report.success : report.failure
  m.emit(who, 'W3 §7.2', `lists its stem (${stem(files)}) and reports ${good ? 'success' : 'failure'}`)
}

/** §11.2. Refuse if `.t` is there; PUT the hold; look for `.t` again, then for `.ok`, in this order as in §7.5. */
export function placerSteps(m: Machine): void {
  const s = m.current
  const files = s.snapshots[parent]!
  const go = (at: number, says: string): void => {
    m.next.placer = at
    m.emit('placer', '§11.2', says)
  }
  m.begin()
  switch (s.placer) {
    case placerAt.look:
      if ((files & file.t) === 0 && (files & file.ok) !== 0) go(placerAt.put, 'sees no tombstone on the parent')
      return
    case placerAt.put:
      m.next.hold = 1
      if (m.breaks('hold_not_rechecked')) go(placerAt.confirmed, 'puts a hold and confirms it at once')
      else go(placerAt.lookT, 'puts a hold on the parent')
      return
    case placerAt.lookT:
      if ((files & file.t) !== 0) go(placerAt.takeBack, 'sees a tombstone: too late')
      else if (m.breaks('hold_looks_only_for_t')) go(placerAt.confirmed, 'sees no .t and confirms the hold')
      else go(placerAt.lookOk, 'sees no tombstone')
      return
    case placerAt.lookOk:
      if ((files & file.ok) === 0) go(placerAt.takeBack, 'sees no .ok: too late')
      else go(placerAt.confirmed, 'sees .ok and confirms the hold')
      return
    case placerAt.takeBack:
      m.next.hold = 0
      go(placerAt.end, 'takes the hold back')
      return
    case placerAt.confirmed:
      m.next.hold = 0
      go(placerAt.end, 'releases the hold')
      return
    default:
  }
}

/** §11.3: list `snap/`, then `hold/`; tombstoned and not held: DELETE `.ok`, `.m`, and long after them `.t`. */
export function removerSteps(m: Machine): void {
  const s = m.current
  const who = 'remover'
  switch (s.remover) {
    case removerAt.first:
    case removerAt.second: {
      const listsHold = (s.remover === removerAt.second) !== m.breaks('removal_lists_hold_first')
      const after = s.remover + 1
      if (listsHold) {
        const held = s.hold === 1 && s.removing === parent && !m.breaks('removal_ignores_holds')
        const n = m.begin()
        n.remover = held ? removerAt.first : after
        m.emit(who, '§11.3', held ? 'sees a hold and leaves the snapshot' : 'sees no hold')
        return
      }
      for (let k = 0; k < 3; k++) {
        if ((s.snapshots[k]! & file.t) === 0) continue
        const n = m.begin()
        n.removing = k
        n.remover = after
        m.emit(who, '§11.3', `sees the tombstone of ${snapshotName(k)}`)
      }
      return
    }
    case removerAt.delete1:
    case removerAt.delete2:
    case removerAt.delete3: {
      const marks = file.a | file.t
      const order = m.breaks('removal_t_first') ? [marks, file.ok, file.m] : [file.ok, file.m, marks]
      const gone = order[s.remover - removerAt.delete1]!
      const n = m.begin()
      n.snapshots[s.removing]! &= ~gone
      n.remover = s.remover + 1
      m.emit(who, '§11.3', `deletes ${stem(gone)} of ${snapshotName(s.removing)}`)
      return
    }
    default:
  }
}

/**
 * §11.4, on writer 0's manifest, whenever it has a `.m` and no `.ok`: when a lease has lapsed is economy, not safety.
 * PUT `.a`, then GET `.ok`: present is the end, absent means PUT `.t`.
 */
export function cleanerSteps(m: Machine): void {
  const s = m.current
  const files = s.snapshots[0]!
  const go = (at: number, says: string): void => {
    m.next.cleaner = at
    m.emit('cleaner', '§11.4', says)
  }
  m.begin()
  switch (s.cleaner) {
    case cleanerAt.list:
      if ((files & live) === file.m) go(cleanerAt.putA, 'sees a manifest without .ok')
      return
    case cleanerAt.putA:
      m.next.snapshots[0]! |= file.a
      if (m.breaks('cleaner_no_check')) go(cleanerAt.putT, 'puts .a and does not look for .ok again')
      else go(cleanerAt.getOk, 'puts .a')
      return
    case cleanerAt.getOk:
      if ((files & file.ok) !== 0) go(cleanerAt.end, 'finds .ok: nothing happens')
      else go(cleanerAt.putT, 'finds no .ok')
      return
    case cleanerAt.putT:
      m.next.snapshots[0]! |= file.t
      go(cleanerAt.end, 'puts .t: abandoned')
      return
    default:
  }
}

export function snapshotName(k: number): string {
  return k === parent ? 'the parent' : `writer ${k}'s snapshot`
}

/** Files of a stem as a listing shows them. */
export function stem(files: number): string {
  const names = (Object.keys(file) as (keyof typeof file)[]).filter((name) => (files & file[name]) !== 0)
  return names.length === 0 ? 'nothing' : names.map((name) => `.${name}`).join(' ')
}
