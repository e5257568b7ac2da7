/**
 * Search: breadth first over all reachable states, so that a counterexample is a shortest one, or seeded random walks
 * where all states are too many. Both are deterministic: the same configuration gives the same numbers on any machine.
 */
import type { Machine } from './machine.ts'
import { factNames, type Fact } from './invariants.ts'
import { VisitedSet } from './visited.ts'

export interface Outcome {
  /** `limit`: the search ended at its bound, and proves nothing. */
  readonly result: 'safe' | 'violation' | 'limit'
  readonly states: number
  /** Breadth-first: levels. Random: steps taken. */
  readonly depth: number
  /** States in which a backup is validated (random: walks that ended so). If 0, nothing was proved. */
  readonly validated: number
  readonly facts: readonly Fact[]
  /** What is broken, and the choices that lead there from the start. */
  readonly violation?: string
  readonly choices?: readonly number[]
}

/** Two buffers of states, the level that is being expanded and the next, each as large as it had to be. */
class Level {
  count = 0
  data: Uint32Array<ArrayBuffer>
  private readonly words: number

  constructor(words: number) {
    this.words = words
    this.data = new Uint32Array(1024 * words)
  }

  /** Room for one more state; its offset. */
  room(): number {
    const at = this.count * this.words
    if (at + this.words > this.data.length) {
      const larger = new Uint32Array(this.data.length * 2)
      larger.set(this.data)
      this.data = larger
    }
    return at
  }
}

/** Where each state came from: five bytes a state, so that a trace needs no second search. */
class Origins {
  private from = new Uint32Array(1 << 16)
  private choice = new Uint8Array(1 << 16)
  private count = 0

  push(from: number, choice: number): void {
    if (this.count === this.from.length) {
      const from = new Uint32Array(this.count * 2)
      from.set(this.from)
      this.from = from
      const choice = new Uint8Array(this.count * 2)
      choice.set(this.choice)
      this.choice = choice
    }
    this.from[this.count] = from
    this.choice[this.count++] = choice
  }

  path(state: number): number[] {
    const choices: number[] = []
    for (let at = state; at !== 0; at = this.from[at]!) choices.push(this.choice[at]!)
    return choices.reverse()
  }
}

export function explore(machine: Machine, maxStates: number): Outcome {
  const { codec } = machine
  const { words } = codec
  const visited = new VisitedSet()
  const origins = new Origins()
  let level = new Level(words)
  let next = new Level(words)
  let first = 0
  let depth = 0
  let validated = 0
  let facts = 0
  let origin = 0
  let choice = 0
  const visit = (): void => {
    const at = next.room()
    codec.pack(machine.next, next.data, at)
    if (visited.add(next.data, at, words)) {
      next.count++
      origins.push(origin, choice)
    }
    choice++
  }
  const outcome = (result: Outcome['result'], violation?: string): Outcome => ({
    result,
    states: visited.size,
    depth,
    validated,
    facts: factNames.filter((_, bit) => ((facts >> bit) & 1) === 1),
    ...(violation === undefined ? {} : { violation, choices: origins.path(origin) }),
  })

  machine.restart()
  machine.next.copy(machine.current)
  visit()
  while (next.count > 0) {
    ;[level, next] = [next, level]
    next.count = 0
    for (let k = 0; k < level.count; k++) {
      codec.unpack(level.data, k * words, machine.current)
      origin = first + k
      choice = 0
      const violation = machine.violation()
      if (violation !== undefined) return outcome('violation', violation)
      const met = machine.facts()
      validated += met & 1
      facts |= met
      machine.expand(visit)
      if (visited.size > maxStates) return outcome('limit')
    }
    first += level.count
    depth++
  }
  return outcome('safe')
}

/** Numbers in [0, 1) from a seed (mulberry32). */
function random(seed: number): () => number {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const longestWalk = 160

/**
 * Uniformly random steps, up to 160 in each walk. Pruning the parent is made four times less likely, so that walks
 * reach deep states with a live parent.
 */
export function walk(machine: Machine, walks: number, seed: number): Outcome {
  const { codec } = machine
  const { words } = codec
  const draw = random(seed)
  const options = new Uint32Array(256 * words)
  let count = 0
  let pruning = -1
  const visit = (who: string): void => {
    if (who === 'pruner') pruning = count
    codec.pack(machine.next, options, count++ * words)
  }
  let steps = 0
  let validated = 0
  let facts = 0
  const outcome = (found?: { violation: string; choices: number[] }): Outcome => ({
    result: found === undefined ? 'safe' : 'violation',
    states: walks,
    depth: steps,
    validated,
    facts: factNames.filter((_, bit) => ((facts >> bit) & 1) === 1),
    ...found,
  })

  for (let n = 0; n < walks; n++) {
    machine.restart()
    const choices: number[] = []
    for (let length = 0; length < longestWalk; length++) {
      count = 0
      pruning = -1
      machine.expand(visit)
      if (count === 0) break
      const choice = Math.floor(draw() * count)
      if (choice === pruning && draw() >= 0.25) continue
      codec.unpack(options, choice * words, machine.current)
      choices.push(choice)
      steps++
      facts |= machine.facts()
      const violation = machine.violation()
      if (violation !== undefined) return outcome({ violation, choices })
    }
    validated += machine.facts() & 1
  }
  return outcome()
}
