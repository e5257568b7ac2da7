import type { Category, PlanSpec } from '#lib/api/types.ts'

const hour = 3_600_000
const day = 24 * hour

/** What an editor works on: a category as it is written down, without what the server adds. */
export type Draft = Omit<Category, 'name' | 'revision' | 'createdMs' | 'changedMs' | 'vms'> & { name: string }

export const newDraft: Draft = {
  name: '',
  description: '',
  rpoMs: day,
  rtoMs: 4 * hour,
  everyMs: day,
  quiesce: 'preferred',
  keep: { daily: 14, weekly: 4 },
  copies: { repositories: 1, media: 1, offSite: 0, immutable: 0 },
  drillEveryMs: 180 * day,
  exerciseEveryMs: null,
  drill: {},
}

/** Without what the server adds. */
export function draftOf(category: Category): Draft {
  const said = Object.entries(category).filter(([member]) => Object.hasOwn(newDraft, member))
  return structuredClone({ ...newDraft, ...(Object.fromEntries(said) as Draft) })
}

export function isSame(a: Draft, b: Draft): boolean {
  const flat = (draft: Draft): string => JSON.stringify(Object.entries(leaves(draft)).sort())
  return flat(a) === flat(b)
}

function leaves({ keep, copies, ...rest }: Draft): { readonly [name: string]: unknown } {
  const under = (at: string, of: object): [string, unknown][] =>
    Object.entries(of).map(([name, value]) => [`${at}.${name}`, value])
  return { ...rest, ...Object.fromEntries([...under('keep', keep), ...under('copies', copies ?? {})]) }
}

/** The first unit that says it whole. */
export type Unit = 'h' | 'd'
export const unitMs: Record<Unit, number> = { h: hour, d: day }
export function unitOf(ms: number): Unit {
  return ms % day === 0 && ms > day ? 'd' : 'h'
}

/**
 * A plan that is never saved: what would follow from the category for its VMs, asked of the same preview as for plans.
 * `repository`: for the year ahead.
 */
export function asPlan({ name, keep, everyMs }: Draft, repository: string): PlanSpec & { name: string } {
  return {
    name: 'as-the-category-says',
    where: [{ field: 'category', is: [name] }],
    schedule: everyMs == null ? { kind: 'manual' } : { kind: 'every', everyMs },
    targets: [{ repository, copy: 'backup', keep }],
  }
}
