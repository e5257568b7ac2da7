import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { requireComplete } from '../keys/index.ts'

/** Who deletes needs all keys, the maintenance key among them, one current key set, and to know every feature (§3.5). */
export async function requireCollectable(engine: Engine, signal: AbortSignal): Promise<void> {
  requireComplete(engine.inventory)
  if (!engine.ring.holds('MK')) {
    throw new HoldfastError('KeyUnknown', 'this secret opens no maintenance key', {
      hint: 'Open the repository with a secret that may collect and prune.',
    })
  }
  if (engine.keyConflict.length > 0) {
    throw new HoldfastError('KeysIncomplete', `key sets compete: ${engine.keyConflict.join(', ')}`, {
      hint: 'Write a key set with a higher revision first.',
    })
  }
  await engine.features.require('gc', signal)
}
