import { Command, Option } from 'commander'
import { HoldfastError } from '../../base/index.ts'
import { ask, done, type Schemas } from '../client/index.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { examples, type Verb } from './common.ts'

type Channel = Schemas['Channel']

interface SetOptions {
  readonly kind: Channel['kind']
  readonly url?: string
  readonly chat?: string
  readonly from?: string
  readonly to: readonly string[]
  readonly user?: string
  readonly plain?: true
  readonly credential?: string
  readonly allowPrivate?: true
  readonly off?: true
  readonly severity: 'critical' | 'warning'
  readonly tag: readonly string[]
  readonly quietHours?: string
  readonly digestAt?: string
  readonly digestEvery: 'day' | 'week' | 'month'
  readonly timeZone: string
}

const kinds: readonly Channel['kind'][] = [
  'webhook',
  'slack',
  'teams',
  'discord',
  'ntfy',
  'telegram',
  'mail',
  'dead-man',
]

export const channels: Verb = (ioOf) => {
  const command = new Command('channels').description('who is told of what wants attention, and how')
  examples(command, [
    'holdfast channels',
    'holdfast channels set on-call --kind slack --credential file:/etc/holdfast/slack-url --severity critical',
    'holdfast channels set team --kind ntfy --url https://ntfy.sh/our-topic --quiet-hours 22:00-07:00 --time-zone Europe/Paris',
    'holdfast channels set ops --kind mail --url smtp://mail.example.org:587 --from holdfast@example.org --to ops@example.org --user holdfast --credential file:/etc/holdfast/mail-password',
    'holdfast channels test on-call',
  ])
  command.action(async () => {
    const io = ioOf(command)
    const { items } = await ask(io.api().GET('/channels'))
    io.answer(items, () => lines(items))
  })
  command
    .command('set')
    .description('make a channel, or change it as a whole')
    .argument('<name>')
    .addOption(new Option('--kind <kind>', 'how it is told').choices(kinds).makeOptionMandatory())
    .option(
      '--url <url>',
      'of webhook, ntfy (with the topic) and mail (smtp://host:587 or smtps://host:465); of telegram a Bot API server of your own',
    )
    .option('--chat <id>', 'of telegram')
    .option('--from <address>', 'of mail: who sends it')
    .option('--to <address>', 'of mail: who gets it; may be repeated', collect, [])
    .option('--user <name>', 'of mail: who logs in, with the credential as password')
    .option('--plain', 'of mail: without TLS, for a relay on the same machine')
    .option('--credential <ref>', 'file:/path on the server: the address, token or password that is a secret')
    .option('--allow-private', 'it may be at a private or loopback address')
    .option('--off', 'keep it, and send nothing')
    .addOption(new Option('--severity <severity>', 'what is told').choices(['critical', 'warning']).default('warning'))
    .option('--tag <tag>', 'only of VMs with this tag or category; may be repeated', collect, [])
    .option('--quiet-hours <hours>', 'HH:MM-HH:MM: only what is critical')
    .option('--digest-at <time>', 'HH:MM: a summary every day')
    .addOption(
      new Option('--digest-every <period>', 'with what the period brought')
        .choices(['day', 'week', 'month'])
        .default('day'),
    )
    .option('--time-zone <zone>', 'of both', 'UTC')
    .action(async (name: string, options: SetOptions, self: Command) => {
      const io = ioOf(self)
      const { kind, url, chat, credential, severity, tag, digestAt, digestEvery, timeZone } = options
      const body = {
        kind,
        url: url ?? null,
        chat: chat ?? null,
        mail: kind === 'mail' ? mailOf(options) : null,
        credentialRef: credential ?? '',
        allowPrivate: options.allowPrivate ?? false,
        enabled: !options.off,
        route: {
          ...{ severity, tags: [...tag], quiet: hoursOf(options.quietHours) },
          ...{ digestAt: digestAt ?? null, digestEvery, timeZone },
        },
      }
      const made = await ask(io.api().PUT('/channels/{name}', { params: { path: { name } }, body }))
      io.answer(made, () => `${lines([made])}\nTry it: holdfast channels test ${made.name}`)
    })
  command
    .command('rm')
    .description('remove a channel')
    .argument('<name>')
    .action(async (name: string, _options: object, self: Command) => {
      const io = ioOf(self)
      await done(io.api().DELETE('/channels/{name}', { params: { path: { name } } }))
      io.answer({ name }, () => `${name} is removed.`)
    })
  command
    .command('test')
    .description('send a test message, or ping, now')
    .argument('<name>')
    .action(async (name: string, _options: object, self: Command) => {
      const io = ioOf(self)
      await done(io.api().POST('/channels/{name}/test', { params: { path: { name } } }))
      io.answer({ name }, () => `${name} has taken it.`)
    })
  return command
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value]
}

function mailOf({ from, to, user, plain: isPlain }: SetOptions): Schemas['MailRoute'] {
  if (from === undefined || to.length === 0)
    throw new HoldfastError('InvalidRequest', 'a channel of kind mail needs --from and --to')
  return { from, to: [...to], user: user ?? null, tls: isPlain ? 'none' : 'required' }
}

function hoursOf(text: string | undefined): { start: string; end: string } | null {
  if (text === undefined) return null
  const [, start, end] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text) ?? []
  if (start === undefined || end === undefined)
    throw new HoldfastError('InvalidRequest', `--quiet-hours is two times of day such as 22:00-07:00, not ${text}`)
  return { start, end }
}

function lines(items: readonly Channel[]): string {
  if (items.length === 0) return 'Nobody is told of anything: make a channel with `holdfast channels set`.'
  return table(items, [
    { head: 'CHANNEL', cell: (one) => one.name },
    { head: 'KIND', cell: (one) => one.kind },
    { head: 'STATE', cell: (one) => (one.enabled ? 'on' : 'off') },
    { head: 'TOLD', cell: (one) => toldOf(one) },
    { head: 'TO', cell: (one) => plain(one.mail?.to.join(', ') ?? one.url ?? one.credentialRef) },
  ])
}

function toldOf({ kind, route }: Channel): string {
  if (kind === 'dead-man') return 'that the server lives'
  const { severity, tags, quiet, digestAt, digestEvery = 'day' } = route
  const parts = [severity === 'critical' ? 'critical' : 'all']
  if (tags.length > 0) parts.push(`of ${tags.join(', ')}`)
  if (quiet !== null) parts.push(`quiet ${quiet.start}-${quiet.end}`)
  if (digestAt !== null) parts.push(`digest of the ${digestEvery} at ${digestAt}`)
  return plain(parts.join(', '))
}
