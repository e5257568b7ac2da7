import type { OpenedRepository } from '../../repository/repository.ts'
import type { ListView } from './sim-store.ts'
import type { SimProcess } from './scheduler.ts'

/** What one process has been shown, and whether it has published. */
interface Memory {
  published: boolean
  readonly shown: Map<string, Parameters<ListView>[1]>
}

/** A rule of the real code made useless by what its process is shown; §18 asks that the simulation notices. */
export interface Mutant {
  readonly name: string
  readonly rule: string
  /** A schedule in which it was caught. */
  readonly seed: number
  readonly view: ListView
  readonly onPut: (process: SimProcess, name: string) => void
  /** Share of publications that their process sleeps through. */
  readonly sleeps?: number
  /** Where what a process is shown does not say it all: the process itself, before it begins. */
  readonly spoil?: (repository: OpenedRepository, process: SimProcess) => void
}

/** After it has published, a process is shown again what it was shown before. */
function blind(
  name: string,
  seed: number,
  rule: string,
  actor: string,
  publishes: (object: string) => boolean,
  hides: (prefix: string) => boolean,
): Mutant {
  const memories = new WeakMap<SimProcess, Memory>()
  const of = (process: SimProcess): Memory => {
    const memory = memories.get(process) ?? { published: false, shown: new Map() }
    memories.set(process, memory)
    return memory
  }
  return {
    name,
    rule,
    seed,
    view(prefix, objects, process) {
      if (!process.actor.startsWith(actor) || !hides(prefix)) return objects
      const memory = of(process)
      const before = memory.shown.get(prefix)
      if (memory.published && before !== undefined) {
        // Its own record it must see, or it would stop at once.
        const own = objects.filter(({ name: each }) => publishes(each) && memory.shown.has(each))
        return [...before, ...own.filter((each) => !before.some(({ name: known }) => known === each.name))]
      }
      memory.shown.set(prefix, objects)
      return objects
    },
    onPut(process, object) {
      if (!process.actor.startsWith(actor) || !publishes(object)) return
      of(process).published = true
      of(process).shown.set(object, [])
    },
  }
}

/** A listing stays what it was when the process saw it first. */
function firstShown(actor: string, hidden: string): ListView {
  const memories = new WeakMap<SimProcess, Parameters<ListView>[1]>()
  return (prefix, objects, process) => {
    if (!process.actor.startsWith(actor) || prefix !== hidden) return objects
    const first = memories.get(process) ?? objects
    memories.set(process, first)
    return first
  }
}

const isRecord = (name: string) => name.endsWith('.c')
const isManifest = (name: string) => name.endsWith('.m')

export const mutants: readonly Mutant[] = [
  blind(
    'no_w2',
    17,
    'the writer reads the state again after it has published its manifest (§7.2 W2)',
    'writer',
    isManifest,
    (prefix) => prefix === 'gc/' || prefix === 'floor/',
  ),
  blind(
    'no_g3b',
    1,
    'the collector reads the roots again after it has published its condemned set (§9.1 G3b)',
    'collector',
    isRecord,
    (prefix) => prefix === 'snap/' || prefix === 'hold/',
  ),
  {
    name: 'ignores_holds',
    seed: 37,
    rule: 'a tombstone does not count while a hold exists (§9.2, §11.2)',
    view: (prefix, objects, { actor }) => (prefix === 'hold/' && /^(collector|pruner)/.test(actor) ? [] : objects),
    onPut: () => undefined,
  },
  {
    name: 'sees_no_records',
    seed: 17,
    rule: 'a writer relies on no pack that a present record names (§8.2)',
    view: (prefix, objects, { actor }) =>
      prefix === 'gc/' && actor.startsWith('writer') ? objects.filter(({ name }) => !/\.[cf]$/.test(name)) : objects,
    onPut: () => undefined,
  },
  {
    ...blind(
      'inherit_blind',
      1,
      'what is inherited needs no check only while the parent is seen as a recovery point after the manifest is published (§7.5)',
      'writer',
      isManifest,
      (prefix) => /^snap\/.*\.$/.test(prefix),
    ),
    sleeps: 0.5,
  },
  {
    name: 'only_ok_roots',
    seed: 11,
    sleeps: 0.5,
    rule: 'a manifest is a root before it is validated (§2, §7.2 W1)',
    view(prefix, objects, { actor }) {
      if (!actor.startsWith('collector') || prefix !== 'snap/') return objects
      const names = new Set(objects.map(({ name }) => name))
      return objects.filter(({ name }) => !isManifest(name) || names.has(name.replace(/m$/, 'ok')))
    },
    onPut: () => undefined,
  },
  {
    name: 'late_base',
    seed: 1,
    sleeps: 0.5,
    rule: 'the stamp of an upload is that of a reading from before it (§7.2 S0)',
    view: (_prefix, objects) => objects,
    onPut: () => undefined,
    spoil({ engine }, { actor }) {
      if (!actor.startsWith('writer')) return
      const read = engine.gc.read.bind(engine.gc)
      // As if it had been read when the next record was there already.
      const late: typeof read = async (...args) => {
        const state = await read(...args)
        return { ...state, base: state.base + 1 }
      }
      Object.defineProperty(engine.gc, 'read', { value: late })
    },
  },
  {
    name: 'no_floor',
    seed: 1,
    sleeps: 0.5,
    rule: 'knowledge from before the floor is stale (§8.2)',
    view: firstShown('writer', 'floor/'),
    onPut: () => undefined,
  },
]
