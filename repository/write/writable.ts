import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { requireComplete } from '../keys/index.ts'

/** Whoever writes needs complete keys (§5.4), one current key set (§5.3) of the newest KEK that has one (§5.6), and to know every feature (§3.5). */
export async function requireWritable(engine: Engine, signal: AbortSignal): Promise<void> {
  requireComplete(engine.inventory)
  if (engine.keyConflict.length > 0) {
    throw new HoldfastError(
      'KeysIncomplete',
      `two administrators have changed the keys at once: ${engine.keyConflict.join(', ')}`,
      {
        hint: 'Merge them with `holdfast repo key repair` before the next backup.',
      },
    )
  }
  if (engine.keySuperseded !== undefined) {
    throw new HoldfastError(
      'KeysSuperseded',
      `generation ${engine.keySuperseded} of the keys does not open with this secret`,
    )
  }
  const { lock } = engine.retention
  if (lock !== undefined && engine.store.capabilities.objectLock === 'none') {
    throw new HoldfastError('StoreUnfit', `points are to be locked for ${lock.days} days, and this place cannot lock`, {
      hint: 'It is a copy of a repository in a bucket: read and restore here, and back up to the bucket.',
    })
  }
  // Throws DomainShredded before anything is read from the source.
  engine.ring.current('DEK')
  await engine.features.require('write', signal)
}
