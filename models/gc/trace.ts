/** A counterexample as people read it: each step with its rule, and below it what changed in the store. */
import type { Machine } from './machine.ts'
import { record, State, type GcRecord } from './state.ts'
import { snapshotName, stem } from './snapshots.ts'
import { chunkNames, chunkOf, packCount, packList, packNames } from './world.ts'

/** Replays the choices that a search found; the machine stands in the last state afterwards. */
export function trace(machine: Machine, choices: readonly number[], violation: string): string[] {
  machine.restart()
  const lines = [`start: ${describe(machine.current)}`]
  const after = new State()
  choices.forEach((choice, index) => {
    let option = 0
    let line = ''
    machine.expand((who, rule, says, packs) => {
      if (option++ !== choice) return
      after.copy(machine.next)
      const of = packs < 0 ? '' : ` ${packList(packs)}`
      line = `${String(index + 1).padStart(3)}  ${who.padEnd(11)}  ${rule.padEnd(9)}  ${says}${of}`
    })
    const changed = difference(machine.current, after)
    lines.push(changed === '' ? line : `${line}   [${changed}]`)
    machine.current.copy(after)
  })
  lines.push(`  => ${violation}`)
  return lines
}

function describe(s: State): string {
  const packs = packNames.filter((_, p) => ((s.packs >> p) & 1) === 1)
  const held = packs.map((name) => `${name} holds ${chunkNames[chunkOf[packNames.indexOf(name)]!]}`)
  return `${held.join(', ')}; the parent (${stem(s.snapshots[2]!)}) needs a; floor ${s.floor}; no record`
}

/** What one step changed in the store. Private memory of actors is what the step itself says. */
function difference(before: State, after: State): string {
  const changes: string[] = []
  const gained = after.packs & ~before.packs
  const lost = before.packs & ~after.packs
  if (gained !== 0) changes.push(`pack/ + ${packList(gained)}`)
  if (lost !== 0) changes.push(`pack/ - ${packList(lost)}`)
  for (let p = 0; p < packCount; p++) {
    if (before.index[p] === after.index[p]) continue
    changes.push(`idx/ ${packNames[p]}: ${stamps(after.index[p]!)}`)
  }
  for (let k = 0; k < 3; k++) {
    if (before.snapshots[k] !== after.snapshots[k]) {
      changes.push(`snap/ ${snapshotName(k)}: ${stem(after.snapshots[k]!)}`)
    }
  }
  if (before.hold !== after.hold) changes.push(after.hold === 1 ? 'hold/ + parent' : 'hold/ - parent')
  if (before.floor !== after.floor) changes.push(`floor/ ${after.floor}`)
  after.records.forEach((r, j) => {
    if (r.state !== before.records[j]!.state) changes.push(`gc/ ${describeRecord(r)}`)
  })
  return changes.join('; ')
}

function describeRecord(r: GcRecord): string {
  if (r.state === record.pending) return `epoch ${r.epoch} .c ${packList(r.condemned)}`
  if (r.state === record.final) return `epoch ${r.epoch} .c ${packList(r.condemned)} .f ${packList(r.final)}`
  return `epoch ${r.epoch} retired`
}

function stamps(bits: number): string {
  const known = [0, 1, 2, 3].filter((e) => ((bits >> e) & 1) === 1)
  return known.length === 0 ? 'dropped' : `stamp ${known.join(', ')}`
}
