import type { Instant } from '#lib/api/types.ts'
import { formatBytes } from '#lib/format/index.ts'
import { look, type Look } from '#lib/state/tone.ts'

export function instantLook({ state, isForgotten, io }: Instant): Look {
  if (isForgotten) return look('warn', 'Forgotten?', 'clock')
  if (state === 'running' && io?.power === 'io-error') return look('warn', 'Guest waits')
  return looks[state]
}

const looks: { readonly [state in Instant['state']]: Look } = {
  starting: look('run', 'Starting'),
  running: look('ok', 'Running'),
  migrating: look('run', 'Copying'),
  migrated: look('ok', 'Migrated'),
  discarded: look('idle', 'Discarded'),
  failed: look('fail', 'Failed'),
}

/** `38 MiB read, 2.6 MiB written, 12 MiB here`. */
export function ioWords(io: Instant['io']): string {
  if (io === null) return '–'
  return `${formatBytes(io.readBytes)} read, ${formatBytes(io.writtenBytes)} written, ${formatBytes(io.overlayBytes)} here`
}

/** `Boot list of 84.0 MiB`: what is read ahead of its boot. */
export function bootListWords(list: Instant['bootList']): string {
  return list === null ? 'No boot list' : `Boot list of ${formatBytes(list.bytes)}`
}

export function decideCommand({ name }: Pick<Instant, 'name'>, end: 'migrate' | 'discard'): string {
  const word = /^[A-Za-z0-9._-]+$/.test(name) ? name : `'${name}'`
  return end === 'migrate' ? `holdfast instant migrate ${word}` : `holdfast instant discard ${word} --confirm ${word}`
}
