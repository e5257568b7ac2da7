import { quoted } from '#lib/act/commands.ts'
import type { Site, SiteTest } from '#lib/api/types.ts'
import { look, type Look } from '#lib/state/tone.ts'

const stateLooks: Record<Site['state'], Look> = {
  ok: look('ok', 'Works'),
  silent: look('fail', 'No worker'),
  idle: look('idle', 'Needs none'),
  unknown: look('unknown', 'Not known'),
}

export function siteLook({ state }: Pick<Site, 'state'>): Look {
  return stateLooks[state]
}

/** What the last test says of all of it. */
export function reachLook(test: SiteTest | null): Look {
  if (test === null) return look('unknown', 'Not tested')
  if (test.error !== null) return look('fail', 'No answer')
  const failed = test.checks.filter(({ error }) => error !== null).length
  return failed === 0 ? look('ok', 'All reached') : look('fail', `${failed} not reached`)
}

/** The sentence that a person who looks for trouble reads first. */
export function sitesSentence(sites: readonly Site[]): string {
  const silent = sites.filter(({ state }) => state === 'silent').map(({ name }) => name)
  if (sites.some(({ state }) => state === 'unknown'))
    return 'Temporal does not answer: nobody can tell who works where.'
  if (silent.length > 0) return `No worker is connected for ${silent.join(', ')}: what there is to do there waits.`
  return 'Every site that needs a worker has one.'
}

/** `3.2 ms`, `1.4 s` */
export function latencyWords(ms: number | null): string {
  if (ms === null) return '–'
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
}

export function setCommand({
  name,
  description,
  handsSecrets,
}: Pick<Site, 'name' | 'description' | 'handsSecrets'>): string {
  return `holdfast site set ${name} --description ${quoted(description)} --secrets ${handsSecrets ? 'server' : 'local'}`
}
