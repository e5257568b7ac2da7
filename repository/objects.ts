import { HoldfastError, locationText } from '../base/index.ts'
import { names, parseName } from './format/index.ts'
import { openFmt, type KeyObject } from './keys/index.ts'
import { getSmall } from './read/manifest.ts'
import { listAll, type ObjectStore } from './store/index.ts'
import type { RepositoryLocation } from './types.ts'

const { signal } = new AbortController()

/** The descriptor of what is there; undefined if there is none yet. */
export async function readFmt(store: ObjectStore): Promise<ReturnType<typeof openFmt> | undefined> {
  const replicas = []
  for (const replica of [0, 1, 2] as const) {
    const name = names.fmt(replica)
    const bytes = await getSmall(store, name, signal)
    if (bytes !== undefined) replicas.push({ name, bytes })
  }
  return replicas.length === 0 ? undefined : openFmt(replicas)
}

/** All of `keys/`. What goes away between listing and reading was replaced: then both are done again. */
export async function keyObjects(store: ObjectStore): Promise<KeyObject[]> {
  for (let tries = 1; ; tries++) {
    const objects: KeyObject[] = []
    let gone = 0
    for (const { name } of await listAll(store, 'keys/')) {
      if (parseName(name) === undefined) continue
      const bytes = await getSmall(store, name, signal)
      if (bytes === undefined) gone++
      else objects.push({ name, bytes })
    }
    // A store that keeps listing what it does not have: what is there must do.
    if (gone === 0 || tries === 5) return objects
  }
}

/** As readFmt. Throws RepositoryMissing if there is none. */
export async function requireFmt(
  store: ObjectStore,
  location: RepositoryLocation,
): Promise<ReturnType<typeof openFmt>> {
  const found = await readFmt(store)
  if (found === undefined)
    throw new HoldfastError('RepositoryMissing', `there is no repository in ${locationText(location)}`)
  return found
}
