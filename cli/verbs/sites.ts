import { Command, Option } from 'commander'
import { HoldfastError } from '../../base/index.ts'
import { ask, done, type Schemas } from '../client/index.ts'
import { exit } from '../exit-codes.ts'
import { plain } from '../render/style.ts'
import { pairs, table } from '../render/table.ts'
import { ago, at } from '../render/words.ts'
import { examples, whole, type Verb } from './common.ts'

type Site = Schemas['Site']

interface SetOptions {
  readonly description?: string
  readonly secrets?: 'local' | 'server'
  readonly proxy?: string | false
  readonly proxyExcept?: readonly string[]
}
interface MapOptions {
  readonly network?: readonly string[]
  readonly storage?: readonly string[]
  readonly none?: true
}
interface TokenOptions {
  readonly days?: number
  readonly revoke?: string
}

export const sites: Verb = (ioOf) => {
  const command = new Command('sites').description('sites, their workers, and what they reach')
  examples(command, ['holdfast sites', 'holdfast site test lyon'])
  return command.action(async () => {
    const io = ioOf(command)
    const { items } = await ask(io.api().GET('/sites'))
    io.answer(items, () => lines(items, io.world.now()))
  })
}

export const site: Verb = (ioOf) => {
  const command = new Command('site').description('one site: workers, hypervisors, repositories, and what they reach')
  examples(command, [
    'holdfast site show lyon',
    'holdfast site set lyon --description "second data centre"',
    'holdfast site set lyon --proxy http://proxy.lyon.example.org:3128 --proxy-except .lan',
    'holdfast site map lyon paris --network prod=prod-dr --network lab= --storage raw=qcow2',
    'holdfast site token lyon',
    'holdfast site test lyon',
  ])
  const pathOf = (name: string) => ({ params: { path: { name } } })
  command
    .command('show')
    .description('its workers, what is of it, what runs, and its bandwidth limits')
    .argument('<name>')
    .action(async (name: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const found = await ask(io.api().GET('/sites/{name}', pathOf(name)))
      io.answer(found, () => details(found, io.world.now()))
    })
  command
    .command('set')
    .description('make a site, or change what is named of it')
    .argument('<name>', 'a to z, 0 to 9 and -')
    .option('--description <text>', 'what people should know of it')
    .addOption(
      new Option(
        '--secrets <where>',
        'where its workers find secrets: only on their machines, or also at the server',
      ).choices(['local', 'server']),
    )
    .option('--proxy <url>', 'through which its workers reach S3 and Azure stores, as http://host:port')
    .option('--no-proxy', 'none but what the environment of its workers says')
    .option('--proxy-except <host...>', 'hosts that are not reached through it; .domain: all below it')
    .action(async (name: string, { description, secrets, proxy, proxyExcept }: SetOptions, self: Command) => {
      const io = ioOf(self)
      if (proxyExcept !== undefined && typeof proxy !== 'string')
        throw new HoldfastError('InvalidRequest', '--proxy-except is of a proxy', { hint: 'Name it with --proxy.' })
      const body = {
        ...(description !== undefined && { description }),
        ...(secrets !== undefined && { handsSecrets: secrets === 'server' }),
        ...(proxy === false && { proxy: null }),
        ...(typeof proxy === 'string' && { proxy: { url: proxy, except: [...(proxyExcept ?? [])] } }),
      }
      const now = await ask(io.api().PUT('/sites/{name}', { ...pathOf(name), body }))
      io.answer(now, () => lines([now], io.world.now()))
    })
  command
    .command('map')
    .description('what networks and storages of one site are called at another; alone: what was said')
    .argument('<from>')
    .argument('<to>')
    .option('--network <from=to...>', 'of a VM that comes there; nothing after the =: not connected')
    .option('--storage <from=to...>', 'of a disk that comes there; * before the =: any other')
    .option('--none', 'forget what was said')
    .action(async (from: string, to: string, options: MapOptions, self: Command) => {
      const io = ioOf(self)
      const body = mapOf(options)
      const path = { params: { path: { name: from, to } } }
      const one =
        body === null
          ? await ask(io.api().GET('/sites/{name}', pathOf(from)))
          : await ask(io.api().PUT('/sites/{name}/maps/{to}', { ...path, body }))
      const map = one.maps.find((found) => found.to === to) ?? { to, networks: [], storages: [] }
      io.answer(map, () => mapText(from, map))
    })
  command
    .command('rm')
    .description('remove a site that no hypervisor and no repository is of; its tokens end with it')
    .argument('<name>')
    .action(async (name: string, _options: object, self: Command) => {
      const io = ioOf(self)
      await done(io.api().DELETE('/sites/{name}', pathOf(name)))
      io.answer({ removed: name }, () => `${name} is removed.`)
    })
  command
    .command('test')
    .description('ask one of its workers to reach the server, the hypervisors and the repositories')
    .argument('<name>')
    .action(async (name: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const test = await ask(io.api().POST('/sites/{name}/test', pathOf(name)))
      io.answer(test, () => testText(test))
      if (test.state === 'failed') io.end(exit.failed)
    })
  command
    .command('token')
    .description('a token for workers on other machines, shown once; or one that opens nothing any more')
    .argument('<name>')
    .option('--days <days>', 'it runs out after so many', whole('--days', 1, 3650))
    .option('--revoke <id>', 'as `holdfast site show` lists it')
    .action(async (name: string, { days, revoke }: TokenOptions, self: Command) => {
      const io = ioOf(self)
      if (revoke !== undefined) {
        if (days !== undefined) throw new HoldfastError('InvalidRequest', '--days and --revoke do not go together')
        await done(io.api().DELETE('/sites/{name}/tokens/{token}', { params: { path: { name, token: revoke } } }))
        return io.answer({ revoked: revoke }, () => `${plain(revoke)} opens nothing any more.`)
      }
      const made = await ask(io.api().POST('/sites/{name}/tokens', { ...pathOf(name), body: { days: days ?? null } }))
      io.say(`${made.id}${made.expiresMs === null ? '' : `, until ${at(made.expiresMs)}`}. It is shown this once:`)
      io.answer(made, () => made.token)
    })
  return command
}

const states: { readonly [state in Site['state']]: string } = {
  ok: 'works',
  silent: 'NO WORKER',
  idle: 'needs none',
  unknown: 'not known',
}

function lines(items: readonly Site[], now: number): string {
  if (items.length === 0)
    return 'There is no site yet: one comes with the first hypervisor or repository that names it.'
  return table(items, [
    { head: 'SITE', cell: ({ name }) => name },
    { head: 'STATE', cell: ({ state }) => states[state] },
    { head: 'WORKERS', cell: ({ workers }) => String(workers.length), right: true },
    { head: 'HYPERVISORS', cell: ({ hypervisors }) => String(hypervisors), right: true },
    { head: 'REPOSITORIES', cell: ({ repositories }) => String(repositories), right: true },
    { head: 'RUNS', cell: ({ running }) => String(running), right: true },
    { head: 'LAST TEST', cell: ({ test }) => (test ? `${test.state} ${ago(test.testedMs, now)}` : 'never') },
    { head: 'DESCRIPTION', cell: ({ description }) => plain(description) },
  ])
}

function proxyText({ url, except = [] }: Schemas['SiteProxy']): string {
  return `${plain(url)}${except.length === 0 ? '' : `, not for ${except.map(plain).join(', ')}`}`
}

/** null: nothing was said, so nothing is changed. Throws InvalidRequest. */
function mapOf({ network, storage, none }: MapOptions): Schemas['PutSiteMap'] | null {
  const isNamed = network !== undefined || storage !== undefined
  if (none && isNamed) throw new HoldfastError('InvalidRequest', '--none goes with no name')
  if (none) return { networks: [], storages: [] }
  if (!isNamed) return null
  return {
    networks: (network ?? []).map(pair).map(([from, to]) => ({ from, to: to === '' ? null : to })),
    storages: (storage ?? []).map(pair).map(([from, to]) => ({ from, to })),
  }
}

function pair(text: string): [string, string] {
  const [from = '', ...to] = text.split('=')
  if (from !== '' && to.length > 0) return [from, to.join('=')]
  throw new HoldfastError('InvalidRequest', `${text} is no pair of names`, { hint: 'Write here=there.' })
}

function mapText(from: string, { to, networks, storages }: Schemas['SiteMap']): string {
  const rows = mapRows({ networks, storages })
  if (rows.length === 0) return `Names of ${from} stay as they are at ${to}.`
  return table(rows, [
    { head: 'WHAT', cell: ({ what }) => what },
    { head: `AT ${from}`, cell: (row) => plain(row.from) },
    { head: `AT ${to}`, cell: (row) => plain(row.to) },
  ])
}

function mapRows({ networks, storages }: Pick<Schemas['SiteMap'], 'networks' | 'storages'>) {
  return [
    ...networks.map((line) => ({ what: 'network', from: line.from, to: line.to ?? '(not connected)' })),
    ...storages.map((line) => ({ what: 'storage', from: line.from === '*' ? '(any other)' : line.from, to: line.to })),
  ]
}

function details(one: Schemas['SiteDetail'], now: number): string {
  const { members, workers, runs, links, tokens, test } = one
  const facts: [string, string][] = [
    ['site', one.name],
    ['description', plain(one.description)],
    [
      'state',
      one.state === 'silent' && one.lastSeenMs !== null
        ? `NO WORKER, last seen ${ago(one.lastSeenMs, now)}`
        : states[one.state],
    ],
    ['secrets', one.handsSecrets ? 'on its workers, else from the server' : 'on its workers'],
    ['proxy', one.proxy === null ? 'as its workers’ environment says' : proxyText(one.proxy)],
    ...one.maps.flatMap((map) =>
      mapRows(map).map((row): [string, string] => [
        `at ${map.to}`,
        `${row.what} ${plain(row.from)} → ${plain(row.to)}`,
      ]),
    ),
    ...workers.map((w): [string, string] => ['worker', `${plain(w.identity)}, seen ${ago(w.lastSeenMs, now)}`]),
    ...members.hypervisors.map((h): [string, string] => ['hypervisor', `${h.id}, ${h.vms} VMs, ${plain(h.place)}`]),
    ...members.repositories.map((r): [string, string] => [
      'repository',
      `${r.id}, ${r.points} points, ${plain(r.place)}`,
    ]),
    ...links.map(({ hypervisorId, repositoryId }): [string, string] => [
      'limited link',
      `${hypervisorId ?? 'all hypervisors'} ↔ ${repositoryId ?? 'all repositories'} (holdfast bandwidth)`,
    ]),
    ...tokens.map((t): [string, string] => [
      'token',
      `${t.id}, made ${ago(t.createdMs, now)}${t.expiresMs === null ? '' : t.expiresMs <= now ? ', has run out' : `, until ${at(t.expiresMs)}`}`,
    ]),
    ...runs.map((run): [string, string] => ['run', `${plain(run.title)}, ${run.state}`]),
  ]
  return `${pairs(facts)}${test ? `\n\nTested ${ago(test.testedMs, now)}:\n${testText(test)}` : ''}`
}

function testText({ worker, checks, error }: Schemas['SiteTest']): string {
  if (error) return `Failed: ${plain(error.message)}\n  ${plain(error.hint)}`
  const rows = table(checks, [
    { head: 'FROM', cell: () => plain(worker ?? '–') },
    { head: 'TO', cell: ({ kind, name }) => (kind === 'server' ? 'server' : `${kind} ${plain(name)}`) },
    { head: 'LATENCY', cell: ({ latencyMs }) => (latencyMs === null ? '–' : `${latencyMs} ms`), right: true },
    { head: 'RESULT', cell: (check) => (check.error ? `FAILED: ${plain(check.error.message)}` : plain(check.detail)) },
    { head: 'AT', cell: ({ place }) => plain(place) },
  ])
  const hints = [...new Set(checks.flatMap((check) => (check.error ? [`  ${plain(check.error.hint)}`] : [])))]
  return [rows, ...hints].join('\n')
}
