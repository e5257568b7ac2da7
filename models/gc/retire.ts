/** The pruner (§11.1), helpers that finish other runs' deletions (§9.1, G5), and retirement (§9.6). */
import { isPresent } from './knowledge.ts'
import type { Machine } from './machine.ts'
import { file, record, type GcRecord } from './state.ts'
import { packCount, parent } from './world.ts'

/** §11.1: removing a point is PUT `.t`. Policy does not carry safety: the parent may be pruned at any moment. */
export function prunerSteps(m: Machine): void {
  const parentFiles = m.current.snapshots[parent]!
  if ((parentFiles & file.t) !== 0 || (parentFiles & (file.m | file.ok)) === 0) return
  const n = m.begin()
  n.snapshots[parent]! |= file.t
  m.emit('pruner', '§11.1', 'puts a tombstone (.t) on the parent')
}

export function retirerSteps(m: Machine, base: number): void {
  const s = m.current
  for (let j = 0; j < m.bounds.collectors; j++) helperSteps(m, j)

  // §9.6 in two steps, twice: decide by LIST that every record with epoch ≤ n has had all its packs deleted; any time
  // later publish floor n + 1.
  if (s.retirer === 0 || s.retirer === 2) {
    for (let n = 1; n <= base; n++) {
      if (n + 1 <= s.floor || !mayRetire(m, n)) continue
      const next = m.begin()
      next.retirer = s.retirer + 1
      next.nextFloor = n + 1
      m.emit('retirer', 'G7 §9.6', `finds that every record up to epoch ${n} has had its packs deleted`)
    }
  }
  if (s.retirer === 1 || s.retirer === 3) {
    const next = m.begin()
    next.retirer = s.retirer + 1
    if (s.nextFloor > s.floor) next.floor = s.nextFloor
    next.nextFloor = 0
    m.emit('retirer', 'G7 §9.6', `publishes floor ${s.nextFloor}`)
  }
}

function helperSteps(m: Machine, j: number): void {
  const s = m.current
  const r = s.records[j]!
  if (r.state === record.final) {
    const left = r.final & s.packs
    for (let p = 0; left >> p !== 0; p++) {
      if (((left >> p) & 1) === 0) continue
      const n = m.begin()
      n.packs &= ~(1 << p)
      m.emit('helper', 'G5 §9.1', `deletes a pack of the final set of collector ${j}`, 1 << p)
    }
  }
  if (!isPresent(r)) return
  if (r.epoch < s.floor || (r.epoch < s.nextFloor && m.breaks('records_before_floor'))) {
    const n = m.begin()
    // What a retired record said can no longer be read by anybody.
    n.records[j]!.state = record.retired
    n.records[j]!.condemned = 0
    n.records[j]!.final = 0
    m.emit('helper', 'G7 §9.6', `deletes the record of collector ${j}, epoch ${r.epoch}`)
  }
}

/** §9.6: records with epoch ≤ n exist, and all packs of their final (abandoned: condemned) sets are gone. */
function mayRetire(m: Machine, n: number): boolean {
  let some = false
  for (const r of m.current.records) {
    if (!isPresent(r) || r.epoch > n) continue
    some = true
    if (!packsAreGone(m, r)) return false
  }
  return some
}

function packsAreGone(m: Machine, r: GcRecord): boolean {
  if (r.state === record.pending) return (r.condemned & m.current.packs) === 0
  return (r.final & m.current.packs) === 0 || m.breaks('retire_before_delete')
}

/** All packs of a set, one after the other. */
export function eachPack(set: number, visit: (pack: number) => void): void {
  for (let p = 0; p < packCount; p++) if (((set >> p) & 1) === 1) visit(p)
}
