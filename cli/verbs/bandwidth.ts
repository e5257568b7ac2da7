import { Command } from 'commander'
import { HoldfastError, bytesText, parseBytes } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { examples, type Verb } from './common.ts'

type Link = Schemas['Link']
type Limit = Link['backup'][number]
type Day = NonNullable<Limit['days']>[number]

interface EndOptions {
  readonly hypervisor?: string
  readonly repository?: string
}
interface SetOptions extends EndOptions {
  readonly backup?: readonly string[]
  readonly restore?: readonly string[]
  readonly timeZone?: string
}

const week: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

export const bandwidth: Verb = (ioOf) => {
  const command = new Command('bandwidth').description(
    'what may be moved a second between hypervisors and repositories',
  )
  examples(command, [
    'holdfast bandwidth',
    'holdfast bandwidth set --repository offsite --backup "20MiB 08:00-18:00 mon-fri" --time-zone Europe/Paris',
    'holdfast bandwidth set --hypervisor lab --repository main --backup 100MiB --restore 200MiB',
    'holdfast bandwidth rm --repository offsite',
  ])
  command.action(async () => {
    const io = ioOf(command)
    const { items } = await ask(io.api().GET('/links'))
    io.answer(items, () => lines(items))
  })
  const limit = '"RATE [HH:MM-HH:MM [mon-fri]]"; may be repeated, the smallest that is on counts'
  ends(command.command('set').description('limit a link; what is not named of it stays as it is'))
    .option('--backup <limit>', `what backups store a second: ${limit}`, collect)
    .option('--restore <limit>', 'what restores and drills fetch, likewise', collect)
    .option('--time-zone <zone>', 'of the hours; UTC unless said before')
    .action(async (options: SetOptions, self: Command) => {
      const io = ioOf(self)
      if (options.backup === undefined && options.restore === undefined && options.timeZone === undefined)
        throw new HoldfastError('InvalidRequest', 'nothing to set', { hint: 'Give --backup or --restore, as "50MiB".' })
      const { items } = await ask(io.api().GET('/links'))
      const link = endsOf(options)
      const before = items.find((one) => isSame(one, link))
      const body = {
        ...link,
        timeZone: options.timeZone ?? before?.timeZone ?? 'UTC',
        backup: options.backup?.map(limitOf) ?? before?.backup ?? [],
        restore: options.restore?.map(limitOf) ?? before?.restore ?? [],
      }
      const now = await ask(io.api().PUT('/links', { body }))
      io.answer(now.items, () => lines(now.items))
    })
  ends(command.command('rm').description('limit a link no longer')).action(
    async (options: EndOptions, self: Command) => {
      const io = ioOf(self)
      const { items } = await ask(io.api().GET('/links'))
      const link = endsOf(options)
      if (!items.some((one) => isSame(one, link)))
        throw new HoldfastError('NotFound', `${nameOf(link)} has no limit`, {
          hint: '`holdfast bandwidth` lists them.',
        })
      const now = await ask(io.api().PUT('/links', { body: { ...link, timeZone: 'UTC', backup: [], restore: [] } }))
      io.answer(now.items, () => lines(now.items))
    },
  )
  return command
}

function ends(command: Command): Command {
  return command
    .option('--hypervisor <id>', 'its end at a hypervisor; without: all of them together')
    .option('--repository <id>', 'its end at a repository; without: all of them together')
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

type Ends = Pick<Link, 'hypervisorId' | 'repositoryId'>

function endsOf({ hypervisor = null, repository = null }: { readonly [end in keyof EndOptions]: string | null }): Ends {
  return { hypervisorId: hypervisor, repositoryId: repository }
}

function isSame(a: Ends, b: Ends): boolean {
  return a.hypervisorId === b.hypervisorId && a.repositoryId === b.repositoryId
}

function nameOf({ hypervisorId, repositoryId }: Ends): string {
  return `${hypervisorId ?? 'all hypervisors'} ↔ ${repositoryId ?? 'all repositories'}`
}

/** `50MiB`, `50MiB 08:00-18:00`, `50MiB 08:00-18:00 mon-fri,sun`. */
function limitOf(text: string): Limit {
  const [rate = '', hours, days, ...rest] = text.trim().split(/\s+/)
  const bytesPerSecond = parseBytes(rate.replace(/\/s$/, ''))
  const [start, end] = (hours ?? '00:00-00:00').split('-')
  if (bytesPerSecond !== undefined && start !== undefined && end !== undefined && rest.length === 0)
    return { bytesPerSecond, start, end, ...(days !== undefined && { days: daysOf(days) }) }
  throw new HoldfastError('InvalidRequest', `“${text}” is no limit`, {
    hint: 'Write a rate, and if you wish hours and days: "20MiB 08:00-18:00 mon-fri".',
  })
}

function daysOf(text: string): Day[] {
  const chosen = text.split(',').flatMap((part): Day[] => {
    const [first, last = first] = part.split('-').map((name) => week.findIndex((day) => day === name))
    if (first === undefined || last === undefined || first < 0 || last < first)
      throw new HoldfastError('InvalidRequest', `“${part}” is no day of the week`, {
        hint: `Days are ${week.join(', ')}.`,
      })
    return week.slice(first, last + 1)
  })
  return week.filter((day) => chosen.includes(day))
}

function limitWords({ bytesPerSecond, start, end, days }: Limit): string {
  const hours = start === end ? '' : ` ${start}-${end}`
  return `${bytesText(bytesPerSecond)}/s${hours}${days === undefined ? '' : ` ${days.join(',')}`}`
}

function lines(links: readonly Link[]): string {
  if (links.length === 0)
    return 'Nothing limits what is moved between hypervisors and repositories. Plans may have limits of their own.'
  const rows = links.flatMap((link) =>
    (['backup', 'restore'] as const).map((direction) => {
      const { bytesPerSecond, copies } = link.now[direction]
      const limits = link[direction].map(limitWords).join('; ')
      const now = bytesPerSecond === null ? 'no limit' : `${bytesText(bytesPerSecond)}/s`
      return {
        link: direction === 'backup' ? plain(nameOf(link)) : '',
        direction: direction === 'backup' ? 'backups' : 'restores',
        limits: limits === '' ? 'no limit' : `${limits}${link.timeZone === 'UTC' ? '' : ` (${link.timeZone})`}`,
        now: `${now}${copies > 0 ? `, ${copies} ${copies === 1 ? 'disk moves' : 'disks move'}` : ''}`,
      }
    }),
  )
  return table(rows, [
    { head: 'LINK', cell: (row) => row.link },
    { head: 'OF', cell: (row) => row.direction },
    { head: 'LIMITS', cell: (row) => row.limits },
    { head: 'NOW', cell: (row) => row.now },
  ])
}
