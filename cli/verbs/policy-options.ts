import { HoldfastError, parseDuration } from '../../base/index.ts'
import type { Schemas } from '../client/index.ts'

/** What verbs that set policy have in common: values in the words of the policy file. */

/** A duration of an option: `4h`, `30d`. */
export function duration(name: string): (text: string) => number {
  return (text) => {
    const ms = parseDuration(text)
    if (ms !== undefined) return ms
    throw new HoldfastError('InvalidRequest', `${name} is a duration such as 4h, 30d or 1h30m, not ${text}`)
  }
}

/** The same, or that there is to be none. The parser of options makes an empty text of null, so that is said as it is. */
export function durationOrNone(name: string): (text: string) => DurationOrNone {
  return (text) => (text === 'none' ? 'none' : duration(name)(text))
}
export type DurationOrNone = number | 'none'

type Keep = Schemas['Keep']
const counts = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly', 'manual', 'publish', 'safety'] as const

/** `daily=14,weekly=8,within=30d` */
export function keepRules(text: string): Keep {
  const keep: { -readonly [rule in keyof Keep]: Keep[rule] } = {}
  for (const [rule, value] of pairsOf('--keep', text)) {
    const count = counts.find((name) => name === rule)
    if (rule === 'within') keep.withinMs = duration('within')(value)
    else if (count !== undefined) keep[count] = wholeOf('--keep', rule, value)
    else throw unknownMember('--keep', rule, [...counts, 'within'])
  }
  return keep
}

const copyMembers = ['repositories', 'media', 'offSite', 'immutable'] as const
type Copies = Required<Schemas['Copies']>

/** `repositories=2,offSite=1`; what is not said stays as it was. */
export function copyCounts(text: string): Partial<Copies> {
  const copies: { -readonly [member in keyof Copies]?: number } = {}
  for (const [word, value] of pairsOf('--copies', text)) {
    const member = copyMembers.find((name) => name === word)
    if (member === undefined) throw unknownMember('--copies', word, copyMembers)
    copies[member] = wholeOf('--copies', word, value)
  }
  return copies
}

function pairsOf(option: string, text: string): (readonly [string, string])[] {
  return text.split(',').map((part) => {
    const [name = '', value, ...more] = part.split('=').map((word) => word.trim())
    if (value === undefined || value === '' || more.length > 0)
      throw new HoldfastError('InvalidRequest', `${option} takes pairs such as daily=14,weekly=8, not ${part}`)
    return [name, value] as const
  })
}

function wholeOf(option: string, name: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0) return value
  throw new HoldfastError('InvalidRequest', `${option}: ${name} is a whole number, not ${text}`)
}

function unknownMember(option: string, name: string, members: readonly string[]): HoldfastError {
  return new HoldfastError('InvalidRequest', `${option} knows no ${name}`, {
    hint: `There are: ${members.join(', ')}.`,
  })
}
