/** A collection run: §9.1, G0 to G6. It may pause or die anywhere; helpers and later runs go on without it. */
import { isPresent, isUsable, readDead, speaksFor } from './knowledge.ts'
import type { Machine } from './machine.ts'
import { eachPack } from './retire.ts'
import { chooseUnmarked, coarseReprieve, mustStopStrictly } from './simple-profile.ts'
import { listRoots, rootBits, rootSet } from './snapshots.ts'
import { collectorAt as at, record } from './state.ts'
import { chunkOf, copyPack, holders, holdersOfNeeds, packCount, packP } from './world.ts'

const names = ['collector 0', 'collector 1', 'collector 2']

export function collectorSteps(m: Machine, g: number, base: number): void {
  const s = m.current
  const v = s.collectors[g]!
  const who = names[g]!
  const simple = m.bounds.simpleProfile

  switch (v.at) {
    case at.g0: {
      const x = m.begin().collectors[g]!
      x.at = at.g1
      x.base = base
      x.view = readDead(s)
      if (simple) {
        for (let j = 0; j < 3; j++) {
          const r = s.records[j]!
          if (isPresent(r)) x.others |= 1 << j
          if (r.state === record.final) x.todo |= r.final
        }
      }
      m.emit(who, 'G0 §9.1', `reads the state: base ${base}, dead set`, x.view)
      return
    }
    case at.g1:
    case at.g1Again:
      if (simple) list(m, g, who)
      else chooseAny(m, g, who)
      return
    case at.g1Copied: {
      const n = m.begin()
      n.collectors[g]!.at = at.g1Again
      n.index[copyPack[g as 0 | 1 | 2]]! |= 1 << v.base
      m.emit(who, '§9.7', `publishes the index entry of its copy, stamp ${v.base}`)
      return
    }
    case at.mark:
      chooseUnmarked(m, g, who)
      return
    case at.g2: {
      const n = m.begin()
      const r = n.records[g]!
      r.state = record.pending
      r.epoch = v.base + 1
      r.condemned = v.condemned
      r.final = 0
      n.collectors[g]!.at = at.g3a
      m.emit(who, 'G2 §9.1', `publishes .c of epoch ${v.base + 1}`, v.condemned)
      return
    }
    case at.g3a:
      readAgain(m, g, who)
      return
    case at.g3b: {
      if (!m.bounds.holds) {
        decide(m, g, who, listRoots(m))
        return
      }
      const holdFirst = m.breaks('collector_lists_hold_first')
      const x = m.begin().collectors[g]!
      x.at = at.g3bHold
      x.roots = holdFirst ? (s.hold === 1 ? rootBits.hold : 0) : listRoots(m)
      m.emit(who, 'G3b §9.1', holdFirst ? 'lists hold/' : 'lists snap/')
      return
    }
    case at.g3bHold:
      decide(m, g, who, withHold(m, v.roots))
      return
    case at.g4: {
      const n = m.begin()
      const x = n.collectors[g]!
      x.at = at.g5
      x.todo = v.condemned
      // A zombie whose record was retired meanwhile publishes a .f that nobody reads (§9.5).
      if (s.records[g]!.state === record.pending) {
        n.records[g]!.state = record.final
        n.records[g]!.final = v.condemned
      }
      m.emit(who, 'G4 §9.1', 'publishes .f', v.condemned)
      return
    }
    case at.g5:
      if (v.todo === 0) {
        m.begin().collectors[g]!.at = at.g6
        m.emit(who, 'G5 §9.1', 'has deleted all its finals')
        return
      }
      eachPack(v.todo, (p) => {
        const n = m.begin()
        n.collectors[g]!.todo &= ~(1 << p)
        n.packs &= ~(1 << p)
        m.emit(who, 'G5 §9.1', 'deletes', 1 << p)
      })
      return
    case at.g6:
      merge(m, g, who, base)
      return
    default:
  }
}

/** G1: LIST `pack/`; what was in no set at G0 counts as a home under the base (§8.2, "LIST of pack/"). */
function chooseAny(m: Machine, g: number, who: string): void {
  const s = m.current
  const v = s.collectors[g]!
  const condemn = (set: number): void => {
    const x = m.begin().collectors[g]!
    x.at = at.g2
    x.condemned = set
    x.view = (s.packs & v.view) !== 0 && m.breaks('undated_listing') ? s.packs : s.packs & ~v.view
    rememberListing(m, g, x.view)
    m.emit(who, 'G1 §9.1', 'lists idx/ and pack/, and chooses to condemn', set)
  }
  for (let p = 0; p < packCount; p++) {
    if (((s.packs >> p) & 1) === 0) continue
    condemn(1 << p)
    if (m.bounds.condemn < 2) continue
    for (let q = p + 1; q < packCount; q++) if (((s.packs >> q) & 1) === 1) condemn((1 << p) | (1 << q))
  }
  if (v.at !== at.g1 || !m.bounds.compaction || ((s.packs >> packP) & 1) === 0) return
  const n = m.begin()
  const copy = 1 << copyPack[g as 0 | 1 | 2]
  n.collectors[g]!.at = at.g1Copied
  n.packs |= copy
  m.emit(who, '§9.7', 'copies chunk a out of P into', copy)
}

/** G1 of the simple profile: the listing, and only then the roots (§9.1). */
function list(m: Machine, g: number, who: string): void {
  const s = m.current
  const x = m.begin().collectors[g]!
  x.at = at.mark
  x.condemned = s.packs
  rememberListing(m, g, s.packs & ~x.view)
  m.emit(who, 'G1 §9.1', 'lists idx/ and pack/', s.packs)
}

function rememberListing(m: Machine, g: number, homes: number): void {
  if (!m.bounds.mergeByListing) return
  const x = m.next.collectors[g]!
  x.listed = homes
  for (let p = 0; p < packCount; p++) if (m.current.index[p] !== 0) x.segments |= 1 << p
}

/** G3a: of two overlapping runs at least one sees the other (§10.1, Lemma B). */
function readAgain(m: Machine, g: number, who: string): void {
  const s = m.current
  const v = s.collectors[g]!
  let stop = m.bounds.simpleProfile && mustStopStrictly(m, g)
  let homes = v.view & ~v.condemned
  for (let j = 0; j < 3; j++) {
    const r = s.records[j]!
    if (j === g || !isPresent(r)) continue
    if (r.epoch >= v.base + 1 && !m.breaks('no_epoch_rule')) stop = true
    homes &= ~speaksFor(r)
  }
  if (s.floor > v.base + 1 && !m.breaks('no_epoch_rule') && !m.breaks('no_floor_stop')) stop = true

  // Giving up with an empty final set is always allowed, and compulsory when told to stop.
  const quit = m.begin().collectors[g]!
  quit.at = at.g4
  quit.condemned = 0
  quit.view = 0
  quit.seen = 0
  quit.others = 0
  m.emit(who, 'G3a §9.1', stop ? 'reads the state again and must stop' : 'reads the state again and gives up')
  if (stop) return
  const x = m.begin().collectors[g]!
  x.at = at.g3b
  x.view = m.bounds.simpleProfile ? 0 : homes
  x.others = 0
  m.emit(who, 'G3a §9.1', 'reads the state again and may go on')
}

/** `hold/` is listed after `snap/`; the mutant that turns it round kept the hold and lists `snap/` now. */
function withHold(m: Machine, roots: number): number {
  if (m.breaks('collector_lists_hold_first')) return listRoots(m) | (roots & rootBits.hold)
  if (m.current.hold === 0 || m.breaks('collector_ignores_holds')) return roots
  return roots | rootBits.hold
}

/** G3b: what a root needs and has no other home is reprieved. A root that cannot be read ends the run (§9.2). */
function decide(m: Machine, g: number, who: string, roots: number): void {
  const v = m.current.collectors[g]!
  const final =
    (roots & rootBits.unreadable) !== 0
      ? undefined
      : m.bounds.simpleProfile
        ? coarseReprieve(m, g, roots)
        : reprieve(v.condemned, v.view, rootSet(roots))
  const n = m.begin()
  if (final === undefined) {
    n.end(g)
    m.emit(who, 'G3b §9.2', 'cannot read a root that is known: alarm, the run ends')
    return
  }
  const x = n.collectors[g]!
  x.at = at.g4
  x.condemned = final
  x.view = 0
  x.roots = 0
  x.seen = 0
  m.emit(who, 'G3b §9.1', `reads the roots again (${rootNames(rootSet(roots))}); left to delete`, final)
}

/** A condemned pack becomes final if no root needs its chunk or another home of that chunk is in the view. */
function reprieve(condemned: number, view: number, roots: number): number {
  let needed = 0
  for (let k = 0; k < 3; k++) if (((roots >> k) & 1) === 1) needed |= holdersOfNeeds[k]!
  let final = 0
  eachPack(condemned, (p) => {
    if (((needed >> p) & 1) === 0 || (view & holders[chunkOf[p]!]!) !== 0) final |= 1 << p
  })
  return final
}

/** G6: merge segments with a new stamp; drop the entries of packs that are in a set or (by reading) stale. */
function merge(m: Machine, g: number, who: string, base: number): void {
  const s = m.current
  const v = s.collectors[g]!
  const n = m.begin()
  if (m.bounds.mergeByListing) {
    // A segment that was not listed at G1 is left alone. A pack that was listed after G0 and is in no set keeps its
    // entry with the stamp of G0: the listing re-establishes even stale knowledge.
    const dead = readDead(s)
    eachPack(v.segments, (p) => {
      const keep = ((v.listed >> p) & 1) === 1 && ((dead >> p) & 1) === 0 && s.index[p] !== 0
      n.index[p] = keep ? 1 << v.base : 0
    })
  } else {
    for (let p = 0; p < packCount; p++) {
      n.index[p] = s.index[p] !== 0 && isUsable(m, s, p, s.index[p]!) ? 1 << base : 0
    }
  }
  n.end(g)
  m.emit(who, 'G6 §9.1', `merges the index under stamp ${m.bounds.mergeByListing ? v.base : base}`)
}

function rootNames(set: number): string {
  const known = ["writer 0's", "writer 1's", "the parent's"].filter((_, k) => ((set >> k) & 1) === 1)
  return known.length === 0 ? 'none' : known.join(', ')
}
