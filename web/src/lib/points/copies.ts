import type { PointCopy } from '#lib/api/types.ts'
import { look, type Look } from '#lib/state/tone.ts'

/** What a copy is, in one word: what is there can still be damaged, or gone. */
export function copyLook({ state, damage, goneMs, validatedMs }: PointCopy): Look {
  if (state === 'pending') return look('idle', 'Waiting')
  if (state === 'in-progress') return look('run', 'Being copied')
  if (state === 'failed') return look('fail', 'Failed')
  if (state === 'removed') return look('idle', 'Removed')
  if (goneMs !== null) return look('fail', 'Not there any more')
  if (damage !== null) return look('fail', 'Damaged')
  return validatedMs === null ? look('idle', 'Not validated') : look('ok', 'There')
}

/** Whether asking for it makes a difference: what is there and whole, or on its way, needs nobody. */
export function canRetry({ state, damage, goneMs }: PointCopy): boolean {
  return state === 'pending' || state === 'failed' || state === 'removed' || damage !== null || goneMs !== null
}
