import { inspectKeys, newestGeneration } from '../keys/index.ts'
import { keyObjects } from '../objects.ts'
import type { ObjectStore } from '../store/index.ts'
import { completenessOf } from './settle.ts'
import { slotInfo } from './slots.ts'
import type { KeyListing } from './types.ts'

const ROLE = 'full'

/** What can be said of the keys without any secret. */
export async function listKeys(store: ObjectStore, repo: string): Promise<KeyListing> {
  const inventory = inspectKeys(await keyObjects(store), repo)
  const kekGen = newestGeneration(inventory, ROLE)
  return {
    repo,
    kekGen,
    slots: inventory.slots.map((item) => slotInfo(item, kekGen)),
    sets: inventory.sets.map(({ name, sound, set }) => ({ name, kekGen: set.kekGen, rev: set.rev, sound })),
    damaged: inventory.damaged,
    unsupported: inventory.unsupported,
    isComplete: completenessOf({ inventory, role: ROLE, kekGen }).isComplete,
  }
}
