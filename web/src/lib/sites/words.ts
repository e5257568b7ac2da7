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

type Proxy = NonNullable<Site['proxy']>
type SiteWish = Pick<Site, 'name' | 'description' | 'handsSecrets'> & { readonly proxy?: Proxy | null }

/** As it is typed: hosts with spaces or commas between them. null: none. */
export function proxyOf(url: string, except: string): Proxy | null {
  const hosts = except.split(/[\s,]+/).filter((host) => host !== '')
  return url.trim() === '' ? null : { url: url.trim(), except: hosts }
}

export function setCommand({ name, description, handsSecrets, proxy }: SiteWish): string {
  const way = proxy === undefined ? '' : proxy === null ? ' --no-proxy' : proxyOptions(proxy)
  return `holdfast site set ${name} --description ${quoted(description)} --secrets ${handsSecrets ? 'server' : 'local'}${way}`
}

function proxyOptions({ url, except = [] }: Proxy): string {
  const not = except.length === 0 ? '' : ` --proxy-except ${except.map(quoted).join(' ')}`
  return ` --proxy ${quoted(url)}${not}`
}

type SiteMap = Site['maps'][number]

/** One a line, as `here = there`. */
export function mapLines(lines: readonly { readonly from: string; readonly to: string | null }[]): string {
  return lines.map(({ from, to }) => `${from} = ${to ?? ''}`.trimEnd()).join('\n')
}

/** What was typed, and what of it cannot be read. Empty lines are none. */
export function linesOf(text: string): {
  readonly lines: { readonly from: string; readonly to: string }[]
  readonly problem: string | null
} {
  const rows = text.split('\n').filter((row) => row.trim() !== '')
  const lines = rows.map((row) => {
    const [from = '', ...to] = row.split('=')
    return { from: from.trim(), to: to.join('=').trim(), isPair: to.length > 0 && from.trim() !== '' }
  })
  const bad = lines.findIndex(({ isPair }) => !isPair)
  const twice = lines.find(({ from }, at) => lines.findIndex((other) => other.from === from) !== at)
  const problem =
    bad >= 0 ? `“${rows[bad]?.trim()}” is no pair: write here = there` : twice ? `${twice.from} is there twice` : null
  return { lines: lines.map(({ from, to }) => ({ from, to })), problem }
}

export function mapCommand(name: string, { to, networks, storages }: SiteMap): string {
  const options = (option: string, lines: readonly { readonly from: string; readonly to: string | null }[]): string =>
    lines.length === 0 ? '' : ` --${option} ${lines.map((line) => quoted(`${line.from}=${line.to ?? ''}`)).join(' ')}`
  const said = `${options('network', networks)}${options('storage', storages)}`
  return `holdfast site map ${name} ${to}${said === '' ? ' --none' : said}`
}
