import { quoted } from '#lib/act/commands.ts'
import type { VmDetail } from '#lib/api/types.ts'

/** What is set for one VM alone. */
export type Override = VmDetail['override']

/** Without members that say nothing: `undefined` takes one away. */
export function withMember<M extends keyof Override>(
  override: Override,
  member: M,
  value: Override[M] | null | undefined,
): Override {
  const whole = { ...override }
  delete whole[member]
  return value === undefined || value === null ? whole : { ...whole, [member]: value }
}

export function isSame(a: Override, b: Override): boolean {
  return text(a) === text(b)
}

/** The setting of the table in force that says what holds without an override of this member. */
const settings: { readonly [member in keyof Override]?: string } = {
  rpoMs: 'RPO',
  rtoMs: 'RTO target',
  quiesce: 'Quiesce',
  drillEveryMs: 'Drill',
  bootTimeoutMs: 'Drill waits for the guest',
  fullEveryMs: 'Full read',
}

/** `Else 4 h, by category important`; nothing where it is set on the VM itself, as nobody says then what else would hold. */
export function elseWords(policy: VmDetail['policy'], member: keyof Override): string {
  const name = settings[member]
  const row = policy.find(({ setting }) => setting === name || setting.startsWith(`${name} (`))
  if (row === undefined || row.from === 'set on this VM') return 'Empty: as its plans and category say.'
  return `Empty: ${row.value}, by ${row.from}.`
}

const options: readonly (readonly [keyof Override, string, string])[] = [
  ['rpoMs', 'rpo', '--rpo'],
  ['rtoMs', 'rto', '--rto'],
  ['quiesce', 'quiesce', '--quiesce'],
  ['keep', 'keep', '--keep'],
  ['drillEveryMs', 'drillEvery', '--drill-every'],
  ['bootTimeoutMs', 'bootTimeout', '--boot-timeout'],
  ['fullEveryMs', 'fullEvery', '--full-every'],
]

/** The same change on the command line; null: its rules for disks are more than options can say. */
export function overrideCommand(
  vm: Pick<VmDetail, 'id' | 'category' | 'override'>,
  after: { readonly category: string; readonly override: Override },
): string | null {
  const { override: before } = vm
  const differs = (member: keyof Override): boolean => textOf(before[member]) !== textOf(after.override[member])
  const set = options.flatMap(([member, , option]) =>
    differs(member) && after.override[member] !== undefined ? [option, wordOf(after.override[member])] : [],
  )
  const unset = options.flatMap(([member, word]) =>
    differs(member) && after.override[member] === undefined ? [word] : [],
  )
  const disks = differs('disks') ? diskWords(after.override.disks) : []
  if (disks === null) return null
  if (differs('disks') && after.override.disks === undefined) unset.push('disks')
  const words = [
    ...(vm.category === after.category ? [] : ['--category', after.category]),
    ...set,
    ...disks,
    ...(unset.length === 0 ? [] : ['--unset', ...unset]),
  ]
  return ['holdfast', 'vm', 'set', vm.id, ...words].map(quoted).join(' ')
}

export function excludeCommand(vmId: string, reason: string, until: string): string {
  const why = quoted(reason.trim() === '' ? 'WHY' : reason.trim())
  return `holdfast vm exclude ${quoted(vmId)} --reason ${why}${until === '' ? '' : ` --until ${until}`}`
}

type Disks = NonNullable<Override['disks']>
function diskWords(disks: Disks | undefined): string[] | null {
  if (disks === undefined) return []
  const { roles = 'all', include = [], exclude = [], honourNobak = true } = disks
  const labels = exclude.map((rule) => (Object.keys(rule).length === 1 ? rule.label : undefined))
  if (include.length > 0 || !honourNobak || labels.includes(undefined)) return null
  return ['--disks', roles, ...(labels.length === 0 ? [] : ['--without-disk', ...labels.map(String)])]
}

function wordOf(value: Override[keyof Override]): string {
  if (typeof value === 'number') return durationWord(value)
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([rule, n]) => (rule === 'withinMs' ? `within=${durationWord(Number(n))}` : `${rule}=${Number(n)}`))
    .join(',')
}

/** As the command line takes it: `30d`, `90m`, `1500ms`. */
function durationWord(ms: number): string {
  const [unit, size] = units.find(([, of]) => ms % of === 0) ?? ['ms', 1]
  return `${ms / size}${unit}`
}
const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const

function text(of: Override): string {
  return JSON.stringify(
    Object.entries(of)
      .map(([member, value]) => [member, textOf(value)])
      .toSorted(),
  )
}

function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : String(value)
}
