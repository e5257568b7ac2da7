import { bytes, millis } from '../../base/index.ts'
import type { ObjectInfo, ObjectStore, PutOptions } from '../../repository/store/index.ts'
import type { SimProcess } from './scheduler.ts'
import type { SimWorld } from './sim-store.ts'

/** Makes the requests of a process arrive in another order than it sends them. */
export type Reorder = (store: ObjectStore, process: SimProcess, world: SimWorld) => void

/** A put that its process takes for done. */
interface Held {
  readonly body: Uint8Array
  readonly options: PutOptions
}

/** What was acknowledged to a writer as its manifest is sent together with what validates it. */
export function publishLate(): Reorder {
  const held = new WeakMap<SimProcess, Map<string, Held>>()
  return (store, process) => {
    if (!process.actor.startsWith('writer')) return
    const own = held.get(process) ?? new Map<string, Held>()
    held.set(process, own)
    const { putIfAbsent, get, head, list } = bound(store)
    const infoOf = (name: string, { body }: Held): ObjectInfo => ({
      name,
      size: bytes(body.length),
      modified: millis(0),
    })
    store.putIfAbsent = async (name, body, options) => {
      if (name.endsWith('.m')) {
        own.set(name, { body: Uint8Array.from(body), options })
        return 'created'
      }
      const manifest = name.replace(/ok$/, 'm')
      const late = name.endsWith('.ok') ? own.get(manifest) : undefined
      if (late !== undefined) await putIfAbsent(manifest, late.body, late.options)
      own.delete(manifest)
      return await putIfAbsent(name, body, options)
    }
    store.get = async (name, max, ...rest) => own.get(name)?.body ?? (await get(name, max, ...rest))
    store.head = async (name, ...rest) => {
      const mine = own.get(name)
      return mine === undefined ? await head(name, ...rest) : infoOf(name, mine)
    }
    store.list = async (prefix, ...rest) => {
      const page = await list(prefix, ...rest)
      const mine = [...own].filter(([name]) => name.startsWith(prefix)).map(([name, one]) => infoOf(name, one))
      return { ...page, objects: [...page.objects, ...mine].sort((a, b) => (a.name < b.name ? -1 : 1)) }
    }
  }
}

/** A collector goes on to the floor while what it has deleted is still there. */
export function deleteLate(): Reorder {
  const sent = new WeakMap<SimProcess, Set<string>>()
  return (store, process, world) => {
    if (!process.actor.startsWith('collector')) return
    const gone = sent.get(process) ?? new Set<string>()
    sent.set(process, gone)
    const { head, list, ...rest } = bound(store)
    store.delete = async (name) => {
      if (!name.startsWith('pack/')) {
        await rest.delete(name)
        return
      }
      gone.add(name)
      const { scheduler, bucket, late } = world
      const work = () => {
        if (bucket.objects.delete(name)) world.onDelete(name)
      }
      late.push({ step: scheduler.step + scheduler.random.below(1200), work })
    }
    store.head = async (name, ...more) => (gone.has(name) ? undefined : await head(name, ...more))
    store.list = async (prefix, ...more) => {
      const page = await list(prefix, ...more)
      return { ...page, objects: page.objects.filter(({ name }) => !gone.has(name)) }
    }
  }
}

function bound(store: ObjectStore): Pick<ObjectStore, 'putIfAbsent' | 'get' | 'head' | 'list' | 'delete'> {
  return {
    putIfAbsent: store.putIfAbsent.bind(store),
    get: store.get.bind(store),
    head: store.head.bind(store),
    list: store.list.bind(store),
    delete: store.delete.bind(store),
  }
}
