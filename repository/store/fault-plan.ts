import { createHash } from 'node:crypto'
import type { ErrorCode } from '../../base/index.ts'
import type { Fault, FaultPlan, StoreCall } from './faulty.ts'

/** Out of one: how often each fault meets a call that it can meet. What is left out never happens. */
export type FaultMix = { readonly [kind in Fault['kind']]?: number }

const mostly = 0.02
/** A bad day: about one call in ten goes wrong, in every way that does not change what is read. */
export const BAD_DAY: FaultMix = {
  fail: mostly,
  'lost-answer': mostly,
  'late-write': mostly,
  duplicate: mostly,
  late: mostly,
}

/** A store that breaks its promises (§14.3): nothing may be lost by it, and much may fail. */
export const BROKEN_STORE: FaultMix = { ...BAD_DAY, stale: mostly, truncated: mostly, flip: mostly, torn: mostly }

/** What stores answer with when they do not do it; in front, what is worth trying again. */
const codes: readonly ErrorCode[] = [
  'StoreUnavailable',
  'StoreUnavailable',
  'StoreRateLimited',
  'StoreDenied',
  'StoreFull',
]
const meets: { readonly [kind in Fault['kind']]: (op: StoreCall['op']) => boolean } = {
  fail: () => true,
  'lost-answer': (op) => op === 'put' || op === 'flush' || op === 'delete',
  'late-write': (op) => op === 'put',
  duplicate: (op) => op === 'put',
  torn: (op) => op === 'put',
  stale: (op) => op === 'list' || op === 'head' || op === 'get',
  truncated: (op) => op === 'list',
  flip: (op) => op === 'get',
  late: () => true,
}
const MOST_CALLS_LATER = 50
const MOST_MS = 20

/**
 * A plan that draws its faults from a seed: what happens to the n-th call depends on the seed, n and the operation alone (not
 * on its name, most of which are random), so the same run meets the same faults. Print the seed with a failure.
 */
export function seededFaults(seed: string, mix: FaultMix = BAD_DAY): FaultPlan {
  return (call) => {
    const draw = drawer(`${seed} ${call.n} ${call.op}`)
    const chance = draw()
    let sum = 0
    for (const [kind, share = 0] of Object.entries(mix) as [Fault['kind'], number | undefined][]) {
      if (!meets[kind](call.op)) continue
      sum += share
      if (chance < sum) return make(kind, draw)
    }
    return undefined
  }
}

function make(kind: Fault['kind'], draw: () => number): Fault {
  const below = (n: number) => Math.floor(draw() * n)
  switch (kind) {
    case 'fail':
      return { kind, code: codes[below(codes.length)] ?? 'StoreUnavailable' }
    case 'late-write':
    case 'duplicate':
      return { kind, calls: 1 + below(MOST_CALLS_LATER) }
    case 'stale': {
      // Some of the names, always the same ones of a call.
      const salt = draw()
      return { kind, hides: (name) => drawer(`${salt} ${name}`)() < 0.3 }
    }
    case 'truncated':
      return { kind, share: draw() }
    case 'flip':
      return { kind, bit: below(2 ** 31) }
    case 'late':
      return { kind, ms: below(MOST_MS) }
    default:
      return { kind }
  }
}

/** Numbers 0 … 1, the same for the same text. */
function drawer(text: string): () => number {
  const bytes = createHash('sha256').update(text).digest()
  let at = 0
  return () => {
    const number = bytes.readUInt32BE(at) / 2 ** 32
    at = (at + 4) % 32
    return number
  }
}
