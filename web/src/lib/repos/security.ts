import type { RepositoryTest } from '#lib/api/types.ts'
import { count } from '#lib/format/index.ts'
import { look, type Look } from '#lib/state/tone.ts'

type Security = NonNullable<RepositoryTest['security']>
type Slot = Security['slots'][number]

/** The role of who opens all of it. */
export const usualRole = 'full'

const types: { readonly [type: string]: string } = {
  passphrase: 'passphrase',
  recovery: 'recovery key, printed',
  hpke: 'key of an escrow holder',
  kms: 'key service',
}

/** By what a slot is opened. A type that this page does not know has its own name. */
export function slotWords({ type, threshold, shares }: Pick<Slot, 'type' | 'threshold' | 'shares'>): string {
  if (type === 'shamir') return `${threshold ?? '?'} of ${shares ?? '?'} shares`
  return types[type] ?? type
}

/** A slot of an older generation opens what was written before the keys were rotated, and nothing newer. */
export function slotLook({ sound, isCurrent }: Pick<Slot, 'sound' | 'isCurrent'>): Look {
  if (!sound) return look('fail', 'Damaged')
  return isCurrent ? look('ok', 'Opens it') : look('idle', 'Rotated out')
}

/** Whether the secrets that there are would be enough if one of them were lost. */
export function keysLook({ slots, isComplete, damaged }: Pick<Security, 'slots' | 'isComplete' | 'damaged'>): Look {
  if (damaged > 0) return look('fail', `${count(damaged, 'object')} with keys damaged`)
  const current = slots.filter((slot) => slot.isCurrent && slot.sound)
  if (!isComplete) return look('warn', `Only ${count(current.length, 'slot')}: add one for recovery`)
  return look('ok', `${count(current.length, 'slot')}, one of them for recovery`)
}

export function lockSentence(lock: Security['lock']): string {
  if (lock === null) return 'Points here are not locked.'
  const who =
    lock.mode === 'compliance'
      ? 'nobody, not even the owner of the account, can delete it sooner'
      : 'only who has a special right can delete it sooner'
  return `Each point is locked for ${count(lock.days, 'day')} from when it was made: ${who}.`
}
