import { Command, Option } from 'commander'
import { HoldfastError } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import type { Io } from '../io.ts'
import { plain } from '../render/style.ts'
import { removalText } from '../render/removals.ts'
import { table } from '../render/table.ts'
import { at } from '../render/words.ts'
import { examples, findVm, moment, type Verb } from './common.ts'
import { duration, keepRules } from './policy-options.ts'

type Override = Schemas['VmOverride']
type Detail = Schemas['VmDetail']

/** Members of an override, as the options and the policy file call them. */
const members = {
  rpo: 'rpoMs',
  rto: 'rtoMs',
  quiesce: 'quiesce',
  keep: 'keep',
  drillEvery: 'drillEveryMs',
  bootTimeout: 'bootTimeoutMs',
  fullEvery: 'fullEveryMs',
  disks: 'disks',
} as const satisfies { readonly [word: string]: keyof Override }
const words = Object.keys(members) as (keyof typeof members)[]

interface SetOptions {
  readonly category?: string
  readonly rpo?: number
  readonly rto?: number
  readonly quiesce?: 'required' | 'preferred' | 'none'
  readonly keep?: Schemas['Keep']
  readonly drillEvery?: number
  readonly bootTimeout?: number
  readonly fullEvery?: number
  readonly disks?: 'all' | 'data'
  readonly withoutDisk?: readonly string[]
  readonly unset?: readonly (keyof typeof members)[]
  readonly dryRun?: true
}

/** What holds for one VM, and what is set for it alone. */
export const vm: Verb = (ioOf) => {
  const command = new Command('vm').description('policy of one VM: show, set, exclude, include')
  examples(command, [
    'holdfast vm show web-01',
    'holdfast vm set web-01 --rpo 1h --keep daily=30,weekly=8',
    'holdfast vm set web-01 --unset keep rpo',
    'holdfast vm exclude web-01 --reason "moves to the new cluster" --until 2026-12-01',
    'holdfast vm include web-01',
  ])
  command
    .command('show')
    .description('what holds for it, and where each value comes from')
    .argument('<vm>', 'id or name')
    .action(async (name: string, _options: object, self: Command) => {
      const io = ioOf(self)
      tell(io, await findVm(io.api(), name))
    })
  command
    .command('set')
    .description('set what holds for this VM alone; it wins over its plans and its category')
    .argument('<vm>', 'id or name')
    .option('--category <name>', 'whose promises hold for it')
    .option('--rpo <duration>', 'its newest point is never older', duration('--rpo'))
    .option('--rto <duration>', 'how long bringing it back may take', duration('--rto'))
    .addOption(new Option('--quiesce <how>', 'of its guest').choices(['required', 'preferred', 'none']))
    .option('--keep <rules>', 'such as daily=14,weekly=8,within=30d; as a whole', keepRules)
    .option('--drill-every <duration>', 'not proven for so long, it is due for a drill', duration('--drill-every'))
    .option('--boot-timeout <duration>', 'how long a drill waits for its guest', duration('--boot-timeout'))
    .option('--full-every <duration>', 'so long after its last full read the next is full', duration('--full-every'))
    .addOption(new Option('--disks <which>', 'data: without the one it boots from').choices(['all', 'data']))
    .option('--without-disk <label...>', 'leave out disks with such a label, * any characters; as a whole')
    .option('--dry-run', 'say which points the next sweep would let go, and change nothing')
    .addOption(new Option('--unset <member...>', 'as its plans and its category say').choices(words))
    .action(async (name: string, options: SetOptions, self: Command) => set(ioOf(self), name, options))
  command
    .command('exclude')
    .description('leave it out on purpose: no plan takes it, and nobody misses its points')
    .argument('<vm>', 'id or name')
    .requiredOption('--reason <text>', 'shown wherever it is left out')
    .option('--until <day>', 'protected again by itself from then on', moment('--until'))
    .action(async (name: string, { reason, until }: { reason: string; until?: number }, self: Command) =>
      change(ioOf(self), name, () => ({ excludedReason: reason, excludedUntilMs: until ?? null })),
    )
  command
    .command('include')
    .description('protect it again')
    .argument('<vm>', 'id or name')
    .action(async (name: string, _options: object, self: Command) =>
      change(ioOf(self), name, () => ({ excludedReason: null })),
    )
  return command
}

async function set(io: Io, name: string, { dryRun, ...options }: SetOptions): Promise<void> {
  if (Object.keys(options).length === 0)
    throw new HoldfastError('InvalidRequest', 'nothing was said to set', { hint: `See holdfast vm set --help.` })
  const wish = ({ override }: Detail) => ({
    ...(options.category !== undefined && { category: options.category }),
    override: overrideOf(override, options),
  })
  if (dryRun === undefined) return change(io, name, wish)
  const found = await findVm(io.api(), name)
  const params = { path: { id: found.id } }
  const seen = await ask(io.api().POST('/vms/{id}/preview', { params, body: wish(found) }))
  io.answer(seen, () => removalText(`Saving this for ${plain(found.name)}`, seen))
}

/** `before` with what the options say; what they take away goes first. */
function overrideOf(before: Override, { unset = [], category: _, disks, withoutDisk, ...said }: SetOptions): Override {
  const gone: readonly string[] = unset.map((word) => members[word])
  const kept = Object.fromEntries(Object.entries(before).filter(([member]) => !gone.includes(member))) as Override
  const set = Object.entries(said).map(([word, value]): [string, unknown] => [
    members[word as keyof typeof members],
    value,
  ])
  const chosen = {
    ...kept.disks,
    ...(disks !== undefined && { roles: disks }),
    ...(withoutDisk !== undefined && { exclude: withoutDisk.map((label) => ({ label })) }),
  }
  return { ...kept, ...Object.fromEntries(set), ...(Object.keys(chosen).length > 0 && { disks: chosen }) }
}

async function change(io: Io, name: string, wish: (vm: Detail) => Schemas['VmPatch']): Promise<void> {
  const api = io.api()
  const found = await findVm(api, name)
  tell(
    io,
    await ask(
      api.PATCH('/vms/{id}', {
        params: { path: { id: found.id } },
        body: { ...wish(found), revision: found.revision },
      }),
    ),
  )
}

function tell(io: Io, of: Detail): void {
  const { id, name, category, excludedReason, excludedUntilMs, policy, override } = of
  const until = excludedUntilMs === null ? 'until somebody takes it back' : `until ${at(excludedUntilMs)}`
  io.answer({ id, name, category, excludedReason, excludedUntilMs, policy, override }, () =>
    [
      ...(excludedReason === null
        ? []
        : [`${plain(name)} is left out on purpose, ${until}: ${plain(excludedReason)}`, '']),
      table(policy, [
        { head: 'SETTING', cell: ({ setting }) => setting },
        { head: 'VALUE', cell: ({ value }) => plain(value) },
        { head: 'FROM', cell: ({ from }) => from },
      ]),
    ].join('\n'),
  )
}
