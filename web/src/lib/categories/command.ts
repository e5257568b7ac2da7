import { quoted } from '#lib/act/commands.ts'
import type { Draft } from './draft.ts'

/** As `holdfast category set` reads it, in the largest unit that says it whole; null: none. */
function time(ms: number | null): string {
  if (ms === null) return 'none'
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
  ] as const
  const [unit, size] = units.find(([, of]) => ms >= of && ms % of === 0) ?? ['s', 1000]
  return `${Math.round(ms / size)}${unit}`
}

const pairs = (of: object): string =>
  Object.entries(of)
    .filter(([name, value]) => value !== undefined && (name !== 'withinMs' || value !== null))
    .map(([name, value]) => (name === 'withinMs' ? `within=${time(Number(value))}` : `${name}=${String(value)}`))
    .join(',')

const options: readonly (readonly [option: string, text: (of: Draft) => string])[] = [
  ['description', ({ description }) => quoted(description ?? '')],
  ['rpo', ({ rpoMs }) => time(rpoMs)],
  ['rto', ({ rtoMs }) => time(rtoMs ?? null)],
  ['every', ({ everyMs }) => time(everyMs ?? null)],
  ['keep', ({ keep }) => pairs(keep)],
  ['quiesce', ({ quiesce }) => quiesce ?? 'preferred'],
  ['copies', ({ copies }) => pairs(copies ?? {})],
  ['drill-every', ({ drillEveryMs }) => time(drillEveryMs ?? null)],
  ['exercise-every', ({ exerciseEveryMs }) => time(exerciseEveryMs ?? null)],
]

/** The same on the command line: what differs from what is saved. Of a new one everything: the editor begins with more. */
export function setCommand(wanted: Draft, saved: Draft | null): string {
  const name = wanted.name === '' ? 'NAME' : quoted(wanted.name)
  const said = options.filter(([option, text]) =>
    saved === null ? option !== 'description' || wanted.description !== '' : text(wanted) !== text(saved),
  )
  if (said.length === 0) return `holdfast category show ${name}`
  return `holdfast category set ${name} ${said.map(([option, text]) => `--${option} ${text(wanted)}`).join(' ')}`
}
