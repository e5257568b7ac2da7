/** A backup writer: §7.2, S0 to W3. A crash is a writer that is never scheduled again, a zombie one that is late. */
import { isUsable, readDead } from './knowledge.ts'
import type { Machine } from './machine.ts'
import { listStem, parentIsLive } from './snapshots.ts'
import { file, writerAt as at } from './state.ts'
import {
  chunkNames,
  chunkOf,
  holders,
  needs,
  ownPack,
  ownPacks,
  packCount,
  parent,
  rescuePack,
  type Chunk,
} from './world.ts'

const names = ['writer 0', 'writer 1']
const rescuePacks = [0, 1].map((i) => chunkNames.map((_, c) => rescuePack(i, c as Chunk)))

export function writerSteps(m: Machine, i: number, base: number): void {
  const s = m.current
  const w = s.writers[i]!
  const who = names[i]!
  const own = ownPack[i as 0 | 1]

  // S3/W0: the index segment with the own packs may appear at any time after the upload, even long after the packs
  // were deleted: an entry is a dated fact (§8.2), not a promise.
  if (w.at >= at.w1 && w.announced === 0) {
    const n = m.begin()
    let announced = 0
    for (const p of ownPacks[i]!) {
      n.index[p]! |= w.known[p]!
      if (w.known[p] !== 0) announced |= 1 << p
    }
    n.writers[i]!.announced = 1
    m.emit(who, 'S3 §7.2', 'publishes its index segment', announced)
  }

  switch (w.at) {
    case at.s0: {
      const n = m.begin()
      const x = n.writers[i]!
      if (m.breaks('late_base')) {
        n.packs |= 1 << own
        x.at = at.s0Late
        m.emit(who, 'S2 §7.2', 'uploads its pack before it has read the state', 1 << own)
      } else {
        x.at = at.s1
        x.base = base
        m.emit(who, 'S0 §7.2', `reads the state: stamp ${base}`)
      }
      return
    }
    case at.s0Late: {
      const x = m.begin().writers[i]!
      x.at = at.s1
      x.base = base
      m.emit(who, 'S0 §7.2', `reads the state: stamp ${base}`)
      return
    }
    case at.s1: {
      const x = m.begin().writers[i]!
      x.at = at.s2
      x.known.set(s.index)
      m.emit(who, 'S1 §7.2', 'reads the index', knownSet(x.known))
      return
    }
    case at.s2: {
      const n = m.begin()
      const x = n.writers[i]!
      x.at = at.w1
      x.known[own]! |= 1 << w.base
      n.packs |= 1 << own
      m.emit(who, 'S2 §7.2', `uploads its pack, known under stamp ${w.base}`, 1 << own)
      return
    }
    case at.w1: {
      const n = m.begin()
      n.writers[i]!.at = checkAt(m)
      if (m.breaks('commit_after_check')) {
        m.emit(who, 'W1 §7.2', 'does not publish its manifest yet')
      } else {
        n.snapshots[i]! |= file.m
        m.emit(who, 'W1 §7.2', 'publishes its manifest (.m): a root from here')
      }
      return
    }
    case at.parentT:
    case at.parentOk:
      parentCheck(m, i, who)
      return
    case at.w2:
      check(m, i, who, base)
      return
    case at.head: {
      const x = m.begin().writers[i]!
      x.at = checkAt(m)
      x.dead = 0
      let found = 0
      for (let p = 0; p < packCount; p++) {
        if (w.known[p] !== 0 && ((s.packs >> p) & 1) === 1 && ((w.dead >> p) & 1) === 0) {
          x.known[p]! |= 1 << w.base
          found |= 1 << p
        }
      }
      m.emit(who, 'W2 §7.4,5', `finds by HEAD, outside the dead set, under stamp ${w.base}`, found)
      return
    }
    case at.w3: {
      const n = m.begin()
      // Only the mutant commit_after_check comes here without a manifest, and publishes both now.
      n.snapshots[i]! |= m.bounds.cleaner ? file.ok : file.ok | file.m
      n.writers[i]!.at = m.bounds.cleaner ? at.w3List : at.done
      m.emit(who, 'W3 §7.2', 'publishes .ok: a recovery point')
      return
    }
    case at.w3List:
      listStem(m, i, who)
      return
    case at.done:
      return
    default: {
      const c = (w.at - at.rescue) as Chunk
      const p = rescuePacks[i]![c]!
      const n = m.begin()
      const x = n.writers[i]!
      x.at = checkAt(m)
      x.known[p]! |= 1 << w.base
      n.packs |= 1 << p
      m.emit(who, 'W2 §7.4,7', `stores chunk ${chunkNames[c]} again, stamp ${w.base}`, 1 << p)
    }
  }
}

/** §7.4: every pass begins with the parent, where that takes requests of its own. */
function checkAt(m: Machine): number {
  return m.bounds.removal && m.bounds.inherit ? at.parentT : at.w2
}

/** §7.5 with single requests: HEAD `.t` (absent), then HEAD `.ok` (present); removal deletes `.t` last. */
function parentCheck(m: Machine, i: number, who: string): void {
  const w = m.current.writers[i]!
  const files = m.current.snapshots[parent]!
  const first = w.at === at.parentT
  const asksForT = first !== m.breaks('parent_ok_before_t')
  const present = (files & (asksForT ? file.t : file.ok)) !== 0
  const good = present !== asksForT
  const x = m.begin().writers[i]!
  x.at = first ? at.parentOk : at.w2
  x.parentSeen = !good ? 0 : first ? 1 : w.parentSeen === 1 ? 2 : 0
  m.emit(who, 'W2 §7.5', `asks for the parent's ${asksForT ? '.t' : '.ok'}: ${present ? 'present' : 'absent'}`)
}

/** W2, one pass (§7.4): read the state, look for a usable home of each chunk; else re-establish or rescue. */
function check(m: Machine, i: number, who: string, base: number): void {
  for (const c of needs[i]!) {
    if (hasHome(m, i, c)) continue
    if (c === 0 && (isInherited(m, i) || m.breaks('inherit_blind'))) continue
    missing(m, i, who, base, c)
    return
  }
  const x = m.begin().writers[i]!
  x.at = at.w3
  x.parentSeen = 0
  m.emit(who, 'W2 §7.4', 'finds that every chunk has a usable home or is inherited')
}

function hasHome(m: Machine, i: number, c: Chunk): boolean {
  const known = m.current.writers[i]!.known
  for (let p = 0; p < packCount; p++) {
    if (chunkOf[p] !== c || known[p] === 0) continue
    if (isUsable(m, m.current, p, known[p]!) || m.breaks('no_w2')) return true
  }
  return false
}

/** §7.5: chunk a is inherited; no check is needed in a pass in which the parent is seen live, after W1. */
function isInherited(m: Machine, i: number): boolean {
  if (!m.bounds.inherit) return false
  if (m.bounds.removal) return m.current.writers[i]!.parentSeen === 2
  return parentIsLive(m)
}

/** §7.4, 5 to 7: either re-establish (reading first, HEAD in the next step) or store the chunk again; once each. */
function missing(m: Machine, i: number, who: string, base: number, c: Chunk): void {
  const s = m.current
  const w = s.writers[i]!
  if (m.bounds.reestablish && w.reestablished === 0) {
    const x = m.begin().writers[i]!
    x.reestablished = 1
    x.at = at.head
    x.base = base
    x.parentSeen = 0
    x.dead = readDead(s)
    if (x.dead !== 0 && m.breaks('head_no_dead')) x.dead = 0
    m.emit(who, 'W2 §7.4,5', `has no usable home for ${chunkNames[c]}; reads the state (stamp ${base}) before HEAD`)
  }
  const bit = 1 << c
  if ((w.rescued & bit) === 0) {
    const x = m.begin().writers[i]!
    x.rescued |= bit
    x.base = base
    x.parentSeen = 0
    x.at = at.rescue + c
    m.emit(who, 'W2 §7.4,6', `has no usable home for ${chunkNames[c]} (stamp ${base})`, holders[c]! & knownSet(w.known))
  }
}

function knownSet(known: Uint8Array): number {
  let set = 0
  for (let p = 0; p < packCount; p++) if (known[p] !== 0) set |= 1 << p
  return set
}
