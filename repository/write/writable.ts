import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { requireComplete } from '../keys/index.ts'

/** Whoever writes needs complete keys (§5.4), one current key set (§5.3) and to know every feature (§3.5). */
export async function requireWritable(engine: Engine, signal: AbortSignal): Promise<void> {
  requireComplete(engine.inventory)
  if (engine.keyConflict.length > 0) {
    throw new HoldfastError(
      'KeysIncomplete',
      `two administrators have changed the keys at once: ${engine.keyConflict.join(', ')}`,
      {
        hint: 'Write a key set with a higher revision before the next backup.',
      },
    )
  }
  await engine.features.require('write', signal)
}
