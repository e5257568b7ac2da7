import type { ObjectStore } from '../store/index.ts'

/** Deletes an object; in a versioned store the version, never by a bare delete marker (§9.1). Again: yes. */
export async function removeObject(store: ObjectStore, name: string): Promise<void> {
  if (!store.capabilities.versioned) {
    await store.delete(name)
    return
  }
  const info = await store.head(name)
  if (info === undefined) return
  await store.delete(name, info.version === undefined ? {} : { version: info.version })
}
