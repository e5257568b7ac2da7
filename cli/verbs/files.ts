import { Command } from 'commander'
import { formatBytes, formatDuration, HoldfastError } from '../../base/index.ts'
import { ask, type ApiClient, type Schemas } from '../client/index.ts'
import { plain } from '../render/style.ts'
import { pairs, table } from '../render/table.ts'
import { at } from '../render/words.ts'
import { followRun } from '../follow.ts'
import { examples, findPoint, findVm, keyHeader, whole, type Verb } from './common.ts'
import { keepStream } from './keep-stream.ts'
import { whenOpen } from './open-session.ts'

type Entry = Schemas['FileEntry']

const notWhole = 'HOLDFAST-UNREADABLE.txt'
/** What follows the name of a member: in a tar NUL, in the list of a zip its time. */
const archives = {
  tar: { has: 'with modes and owners', mark: `${notWhole}\0` },
  zip: { has: 'with modes', mark: `${notWhole}UT` },
} as const

interface OpenOptions {
  readonly point: string
  readonly disk?: readonly string[]
  readonly idle: number
  readonly reason: string
  readonly key?: string
}

interface RestoreOptions {
  readonly to?: string
  readonly replace?: true
  readonly confirm?: string
  readonly reason: string
  readonly key?: string
  readonly watch?: true
}

export const files: Verb = (ioOf) => {
  const command = new Command('files').description('files of a recovery point: browse, search, download, restore')
  examples(command, [
    'holdfast files open web-01 --point latest',
    'holdfast files ls web-01 d0p1:/etc',
    'holdfast files find web-01 d0p1:/home "*.docx"',
    'holdfast files get web-01 d0p1:/etc/hostname -o hostname',
    'holdfast files tar web-01 lv-vg-root:/var/www lv-vg-root:/etc -o web.tar',
    'holdfast files zip web-01 d0p3:/Users/ada -o ada.zip',
    'holdfast files restore web-01 d0p1:/etc/hosts --watch',
    'holdfast files restore web-01 d0p1:/srv/www --to /srv/restored',
    'holdfast files close web-01',
  ])
  command
    .command('open')
    .description('a micro-VM opens the point read-only; says which volumes it has')
    .argument('<vm>', 'id or name')
    .option('--point <point>', 'latest, id, or time', 'latest')
    .option('--disk <key...>', 'only these disks of the point')
    .option('--idle <minutes>', 'it closes when nobody has asked for so long', whole('--idle', 1, 720), 15)
    .option('--reason <text>', 'shown in the runbook', '')
    .option('--key <text>', 'Idempotency-Key: repeating the command starts nothing twice')
    .action(async (name: string, options: OpenOptions, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const vm = await findVm(api, name)
      const point = await findPoint(api, vm.id, options.point)
      const body = {
        ...{ pointId: point.id, disks: options.disk ? [...options.disk] : null },
        ...{ idleMinutes: options.idle, reason: options.reason },
      }
      const run = await ask(api.POST('/files', { params: keyHeader(options.key), body }))
      const session = run.workflowId.slice('files/'.length)
      const { items } = await whenOpen(io, api, session)
      io.answer({ session, run, volumes: items }, () => `${volumeLines(items)}\n\nSession ${session}`)
    })
  command
    .command('list')
    .description('points that are open')
    .action(async (_options: object, self: Command) => {
      const io = ioOf(self)
      const { items } = await openRuns(io.api())
      io.answer(items, () =>
        items.length === 0
          ? 'No point is open.'
          : table(items, [
              { head: 'SESSION', cell: (run) => run.workflowId.slice('files/'.length) },
              { head: 'WHAT', cell: (run) => plain(run.title) },
              { head: 'SINCE', cell: (run) => formatDuration(Math.max(0, io.world.now() - run.startedMs)) },
              { head: 'BY', cell: (run) => plain(run.requestedBy?.user ?? '–') },
            ]),
      )
    })
  command
    .command('volumes')
    .description('what lies on the disks')
    .argument('<session>', 'its id, or the VM')
    .action(async (name: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const params = { path: { session: await sessionOf(api, name) } }
      const { items } = await ask(api.GET('/files/{session}/volumes', { params }))
      io.answer(items, () => volumeLines(items))
    })
  command
    .command('ls')
    .description('a folder')
    .argument('<session>', 'its id, or the VM')
    .argument('<place>', 'volume:/path')
    .option('--limit <n>', 'names at most', whole('--limit', 1, 50_000), 1_000)
    .action(async (name: string, place: string, options: { limit: number }, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const page = await listFolder(api, await sessionOf(api, name), placeOf(place), options.limit)
      io.answer(page, () => entryLines(page.items))
      const left = page.total - page.items.length
      if (left > 0) io.say(`${left} more; ask for them with --limit`)
      if (!page.isComplete) io.say('The folder has more names than are read.')
    })
  command
    .command('stat')
    .description('one file or folder')
    .argument('<session>', 'its id, or the VM')
    .argument('<place>', 'volume:/path')
    .action(async (name: string, place: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const params = { path: { session: await sessionOf(api, name) }, query: placeOf(place) }
      const entry = await ask(api.GET('/files/{session}/entry', { params }))
      io.answer(entry, () => details(entry))
    })
  command
    .command('find')
    .description('names below a folder')
    .argument('<session>', 'its id, or the VM')
    .argument('<place>', 'volume:/path')
    .argument('<text>', 'part of the name, or a pattern with * and ?')
    .action(async (name: string, place: string, text: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const params = { path: { session: await sessionOf(api, name) }, query: { ...placeOf(place), q: text } }
      const found = await ask(api.GET('/files/{session}/search', { params }))
      io.answer(found, () => found.items.map((entry) => entryLine(entry, entry.path)).join('\n') || 'Nothing is found.')
      if (!found.isComplete)
        io.say(
          `Not all: ${found.lookedAt} names were looked at, ${found.unreadable} folders could not be read. Begin further down.`,
        )
    })
  command
    .command('get')
    .description('the content of a plain file; without -o to stdout')
    .argument('<session>', 'its id, or the VM')
    .argument('<place>', 'volume:/path')
    .option('-o, --output <file>', 'a new file')
    .action(async (name: string, place: string, options: { output?: string }, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const params = { path: { session: await sessionOf(api, name) }, query: placeOf(place) }
      const body = await ask(api.GET('/files/{session}/content', { params, parseAs: 'stream' }))
      await keepStream(io, body, options.output, null)
    })
  for (const format of ['tar', 'zip'] as const)
    command
      .command(format)
      .description(`files and folders of one volume as a ${format} stream, ${archives[format].has}`)
      .argument('<session>', 'its id, or the VM')
      .argument('<places...>', 'volume:/path')
      .option('-o, --output <file>', 'a new file')
      .action(async (name: string, places: readonly string[], options: { output?: string }, self: Command) => {
        const io = ioOf(self)
        const api = io.api()
        const { volume, paths } = placesOf(places)
        const query = { volume, path: paths, format }
        const params = { path: { session: await sessionOf(api, name) }, query }
        const body = await ask(api.GET('/files/{session}/archive', { params, parseAs: 'stream' }))
        await keepStream(io, body, options.output, { member: notWhole, mark: archives[format].mark })
      })
  command
    .command('restore')
    .description('files and folders of one volume back into the guest that runs, through its agent')
    .argument('<session>', 'its id, or the VM')
    .argument('<places...>', 'volume:/path')
    .option('--to <folder>', 'into this folder of the guest; else to where they were, as NAME.restored-TIME')
    .option('--replace', 'in the place of what is there; files and links only')
    .option('--confirm <name>', 'the VM’s name, for --replace')
    .option('--reason <text>', 'shown in the runbook', '')
    .option('--key <text>', 'Idempotency-Key: repeating the command starts nothing twice')
    .option('-w, --watch', 'follow it to its end')
    .action(async (name: string, places: readonly string[], options: RestoreOptions, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      if (options.to !== undefined && options.replace)
        throw new HoldfastError('InvalidRequest', '--to and --replace exclude each other')
      const { volume, paths } = placesOf(places)
      const to: NonNullable<Schemas['FilesToGuestRequest']['to']> =
        options.to !== undefined
          ? { kind: 'folder', folder: options.to }
          : { kind: options.replace ? 'replace' : 'beside' }
      const body = {
        ...{ volume, paths, to, reason: options.reason, tuning: {} },
        ...(options.confirm !== undefined && { confirmName: options.confirm }),
      }
      const params = { path: { session: await sessionOf(api, name) }, ...keyHeader(options.key) }
      const run = await ask(api.POST('/files/{session}/restore', { params, body }))
      if (options.watch) {
        io.say(`Started ${run.workflowId}.`)
        io.end(await followRun(io, api, run.runId))
      } else io.answer(run, () => `Started ${run.workflowId}.\n  ${run.command}`)
    })
  command
    .command('close')
    .description('end the session')
    .argument('<session>', 'its id, or the VM')
    .option('--reason <text>', 'shown in the runbook', '')
    .action(async (name: string, options: { reason: string }, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const params = { path: { session: await sessionOf(api, name) } }
      const run = await ask(api.POST('/files/{session}/end', { params, body: { reason: options.reason } }))
      io.answer(run, () => `It is closed.\n  ${run.command}`)
    })
  return command
}

/** `files/<id>`, an id, or a VM of which one session is open: of several nobody knows which is meant. */
async function sessionOf(api: ApiClient, name: string): Promise<string> {
  const id = /^(?:files\/)?([0-9a-f]{32})$/.exec(name)?.[1]
  if (id !== undefined) return id
  const vm = await findVm(api, name)
  const { items } = await openRuns(api)
  const [run, ...others] = items.filter(({ vmId }) => vmId === vm.id)
  if (run !== undefined && others.length > 0)
    throw new HoldfastError('InvalidRequest', `${others.length + 1} sessions of ${vm.name} are open`, {
      hint: `Name one: ${[run, ...others].map(({ workflowId, title }) => `${workflowId.slice('files/'.length)} (${title})`).join(', ')}`,
    })
  if (run !== undefined) return run.workflowId.slice('files/'.length)
  throw new HoldfastError('NotFound', `no point of ${vm.name} is open`, {
    hint: `Open one: holdfast files open ${vm.name}`,
  })
}

function openRuns(api: ApiClient): Promise<Schemas['RunPage']> {
  return ask(api.GET('/runs', { params: { query: { kind: 'files', state: 'open', limit: 200 } } }))
}

function placeOf(text: string): { volume: string; path: string } {
  const [, volume, path] = /^([A-Za-z0-9+_.-]+):(\/.*)$/s.exec(text) ?? []
  if (volume !== undefined && path !== undefined) return { volume, path }
  throw new HoldfastError('InvalidRequest', `not a place: ${text}`, {
    hint: 'Write volume:/path, for example d0p1:/etc; `holdfast files volumes` lists the volumes.',
  })
}

function placesOf(places: readonly string[]): { volume: string; paths: string[] } {
  const [first, ...others] = places.map(placeOf)
  if (first === undefined || others.some(({ volume }) => volume !== first.volume))
    throw new HoldfastError('InvalidRequest', 'all places are of one volume')
  return { volume: first.volume, paths: [first, ...others].map(({ path }) => path) }
}

async function listFolder(
  api: ApiClient,
  session: string,
  place: { volume: string; path: string },
  most: number,
): Promise<Schemas['FilePage']> {
  const items: Entry[] = []
  for (let from: number | null = 0; ;) {
    const query = { ...place, from, limit: Math.min(1_000, most - items.length) }
    const page: Schemas['FilePage'] = await ask(
      api.GET('/files/{session}/entries', { params: { path: { session }, query } }),
    )
    items.push(...page.items)
    from = page.next
    if (from === null || items.length >= most) return { ...page, items }
  }
}

function volumeLines(items: readonly Schemas['FileVolume'][]): string {
  if (items.length === 0) return 'There is nothing on the disks.'
  return table(items, [
    { head: 'VOLUME', cell: (one) => plain(one.id) },
    { head: 'DISK', cell: (one) => plain(one.disk ?? '–') },
    { head: 'SIZE', cell: (one) => formatBytes(one.size), right: true },
    { head: 'HOLDS', cell: (one) => plain(one.fileSystem ?? '–') },
    { head: 'LABEL', cell: (one) => plain(one.label ?? '–') },
    { head: 'STATE', cell: (one) => stateOf(one) },
  ])
}

function stateOf({ state, isJournalReplayed, error }: Schemas['FileVolume']): string {
  if (error !== null) return `${state}: ${plain(error)}`
  if (state === 'holder') return 'other volumes lie in it'
  return state === 'files' && !isJournalReplayed ? 'files; its journal is not replayed' : state
}

function entryLines(items: readonly Entry[]): string {
  return items.map((entry) => entryLine(entry, entry.name)).join('\n')
}

const letters: { readonly [kind in Entry['kind']]: string } = {
  ...{ file: '-', folder: 'd', link: 'l', fifo: 'p', socket: 's', unknown: '?' },
  ...{ 'character-device': 'c', 'block-device': 'b' },
}

function entryLine({ kind, mode, uid, gid, size, modifiedMs }: Entry, name: string): string {
  const owner = `${uid}:${gid}`.padEnd(11)
  return `${letters[kind]}${modeText(mode)} ${owner} ${formatBytes(size).padStart(10)} ${at(modifiedMs)} ${plain(name)}`
}

/** As ls writes it: `rwsr-xr-t`. */
function modeText(mode: number): string {
  const bits = [...'rwxrwxrwx'].map((letter, n) => ((mode >> (8 - n)) & 1 ? letter : '-'))
  const mark = (bit: number, place: number, on: string, off: string): void => {
    if (mode & bit) bits[place] = bits[place] === 'x' ? on : off
  }
  mark(0o4000, 2, 's', 'S')
  mark(0o2000, 5, 's', 'S')
  mark(0o1000, 8, 't', 'T')
  return bits.join('')
}

function details(entry: Entry): string {
  return pairs([
    ['Path', plain(entry.path)],
    ['Kind', `${entry.kind}${entry.target === null ? '' : ` to ${plain(entry.target)}`}`],
    ['Size', `${formatBytes(entry.size)} (${entry.size})`],
    ['Mode', `${modeText(entry.mode)} ${entry.uid}:${entry.gid}`],
    ['Changed', at(entry.modifiedMs)],
  ])
}
