import { bytes, millis } from '../../base/index.ts'
import type { OpenedRepository } from '../../repository/repository.ts'
import { deleteLate, publishLate, type Reorder } from './reorder.ts'
import type { ListView } from './sim-store.ts'
import type { SimProcess } from './scheduler.ts'

const meanwhile = ['prune', 'collect'] as const
const beforeManifest: Scene = { sleeper: 'writer0', before: /\.m$/, meanwhile }
const beforeValidated: Scene = { sleeper: 'writer0', before: /\.ok$/, meanwhile }
const beforeRecord: Scene = { sleeper: 'collector0', before: /\.c$/, meanwhile: ['collect'] }
const whileBackedUp: Scene = { ...beforeRecord, meanwhile: ['back up'] }
const beforeFinal: Scene = { sleeper: 'collector0', before: /\.f$/, meanwhile: ['back up'] }
/** The newest point of a VM is never removed: the parent has to be an older one. */
const whileSuperseded: Scene = { ...beforeManifest, meanwhile: ['supersede', ...meanwhile] }

/** What one process has been shown, and whether it has published. */
interface Memory {
  published: boolean
  readonly shown: Map<string, Parameters<ListView>[1]>
}

/** A process that falls asleep before a publication until the others have done their work. */
export interface Scene {
  readonly sleeper: 'writer0' | 'collector0'
  readonly before: RegExp
  /** In this order. */
  readonly meanwhile: readonly ('back up' | 'supersede' | 'prune' | 'collect')[]
}

/** A rule of the real code made useless by what its process is shown; §18 asks that the simulation notices. */
export interface Mutant {
  readonly name: string
  readonly rule: string
  /** A schedule in which it was caught. */
  readonly seed: number
  /** Who has to sleep where, and what happens meanwhile; default: what chance brings. */
  readonly scene?: Scene
  readonly view: ListView
  readonly onPut: (process: SimProcess, name: string) => void
  /** Where what a process is shown does not say it all: the process itself, before it begins. */
  readonly spoil?: (repository: OpenedRepository, process: SimProcess) => void
  /** Where the order of requests is what is broken: the process's connection. */
  readonly reorder?: Reorder
}

/** After it has published, a process is shown again what it was shown before. */
function blind(
  name: string,
  seed: number,
  rule: string,
  actor: string,
  publishes: (object: string) => boolean,
  hides: (prefix: string) => boolean,
  scene: Scene,
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
    scene,
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

const all: ListView = (_prefix, objects) => objects
const nothing = () => undefined
const isRecord = (name: string) => /\.[cf]$/.test(name)
const isManifest = (name: string) => name.endsWith('.m')

/** Nothing is broken in these: what the mutants lose is lost by what they break, not by how they are played. */
export const scenes: readonly Mutant[] = [
  beforeManifest,
  beforeValidated,
  whileSuperseded,
  beforeRecord,
  beforeFinal,
  whileBackedUp,
].map((scene) => {
  const name = `${scene.sleeper} sleeps before ${scene.before.source}; meanwhile: ${scene.meanwhile.join(', ')}`
  return { name, rule: 'none', seed: 1, scene, view: all, onPut: nothing }
})

export const mutants: readonly Mutant[] = [
  blind(
    'no_w2',
    2,
    'the writer reads the state again after it has published its manifest (§7.2 W2)',
    'writer',
    isManifest,
    (prefix) => prefix === 'gc/' || prefix === 'floor/',
    beforeManifest,
  ),
  blind(
    'no_g3b',
    2,
    'the collector reads the roots again after it has published its condemned set (§9.1 G3b)',
    'collector',
    isRecord,
    (prefix) => prefix === 'snap/' || prefix === 'hold/',
    whileBackedUp,
  ),
  {
    name: 'ignores_holds',
    seed: 37,
    rule: 'a tombstone does not count while a hold exists (§9.2, §11.2)',
    view: (prefix, objects, { actor }) => (prefix === 'hold/' && /^(collector|pruner)/.test(actor) ? [] : objects),
    onPut: nothing,
  },
  {
    name: 'sees_no_records',
    seed: 2,
    scene: beforeFinal,
    rule: 'a writer relies on no pack that a present record names (§8.2)',
    view: (prefix, objects, { actor }) =>
      prefix === 'gc/' && actor.startsWith('writer') ? objects.filter(({ name }) => !/\.[cf]$/.test(name)) : objects,
    onPut: nothing,
  },
  {
    name: 'inherit_blind',
    seed: 6,
    scene: whileSuperseded,
    rule: 'what is inherited needs no check only while the parent is seen as a recovery point after the manifest is published (§7.5)',
    // Whatever has become of it, a writer is shown a recovery point.
    view(prefix, objects, { actor }) {
      if (!actor.startsWith('writer') || !/^snap\/.*\.$/.test(prefix)) return objects
      const rest = objects.filter(({ name }) => !/\.(m|ok|t|a)$/.test(name))
      const point = ['m', 'ok'].map((end) => ({ name: `${prefix}${end}`, size: bytes(0), modified: millis(0) }))
      return [...rest, ...point]
    },
    onPut: nothing,
  },
  {
    name: 'only_ok_roots',
    seed: 5,
    scene: beforeValidated,
    rule: 'a manifest is a root before it is validated (§2, §7.2 W1)',
    view(prefix, objects, { actor }) {
      if (!actor.startsWith('collector') || prefix !== 'snap/') return objects
      const names = new Set(objects.map(({ name }) => name))
      return objects.filter(({ name }) => !isManifest(name) || names.has(name.replace(/m$/, 'ok')))
    },
    onPut: nothing,
  },
  {
    name: 'late_base',
    seed: 2,
    scene: beforeManifest,
    rule: 'the stamp of an upload is that of a reading from before it (§7.2 S0)',
    view: all,
    onPut: nothing,
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
    seed: 2,
    scene: beforeManifest,
    rule: 'knowledge from before the floor is stale (§8.2)',
    view: firstShown('writer', 'floor/'),
    onPut: nothing,
  },
  {
    name: 'commit_after_check',
    seed: 2,
    scene: beforeManifest,
    rule: 'a manifest is published before it is checked (§7.2 W1, W2)',
    view: all,
    onPut: nothing,
    reorder: publishLate(),
  },
  {
    name: 'retire_before_delete',
    seed: 2,
    scene: beforeManifest,
    rule: 'a record is retired when its packs are gone, not before (§9.6)',
    view: all,
    onPut: nothing,
    reorder: deleteLate(),
  },
  blind(
    'no_epoch_rule',
    1,
    'of two collections at once one stops (§9.1 G3a, §9.4)',
    'collector',
    isRecord,
    (prefix) => prefix === 'gc/' || prefix === 'floor/',
    beforeRecord,
  ),
  blind(
    'no_floor_stop',
    1,
    'a collection stops where the floor has passed its record (§9.1 G3a)',
    'collector',
    isRecord,
    (prefix) => prefix === 'floor/',
    beforeRecord,
  ),
]
