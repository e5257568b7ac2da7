import type { Catalog } from '../../catalog/index.ts'
import {
  defaultSlots,
  isRecordKind,
  nothingSet,
  recordKinds,
  recordProblems,
  scrubProblems,
  slotKindOf,
  slotProblems,
  sweepScopeProblems,
  type Known,
  type PolicyProblem,
} from '../../policy/index.ts'
import type { PolicyDocument } from '../schemas/policy-file.ts'

type Section = 'slots' | 'records' | 'sweeps' | 'scrubs'
type Value<S extends Section> = NonNullable<PolicyDocument[S]>[string]

/** What is always there: without a word in the file, and where it is pruned, as by default. */
interface Setting<S extends Section> {
  readonly usual: (name: string) => Value<S> | undefined
  /** Only what is not as by default. */
  readonly current: (catalog: Catalog) => { [name: string]: Value<S> }
  readonly problems: (name: string, known: Known) => PolicyProblem[]
  readonly put: (catalog: Catalog, name: string, value: Value<S>) => void
}

const unread: Value<'scrubs'> = { level: 'data', budgetBytes: null }
const scopeOf = (name: string): string | null => (name === '*' ? null : name)

function usualSlots(resource: string): Value<'slots'> | undefined {
  const kind = slotKindOf(resource)
  return kind && { slots: defaultSlots[kind] }
}

const slots: Setting<'slots'> = {
  usual: usualSlots,
  current: (catalog) =>
    Object.fromEntries(
      catalog.slots
        .limits()
        .filter(({ resource, slots: n }) => usualSlots(resource)?.slots !== n)
        .map(({ resource, slots: n }) => [resource, { slots: n }]),
    ),
  problems: slotProblems,
  put: (catalog, resource, { slots: n }) => {
    catalog.slots.setLimit(resource, usualSlots(resource)?.slots === n ? null : n)
  },
}

const records: Setting<'records'> = {
  usual: (kind) => (isRecordKind(kind) ? { months: recordKinds[kind].months } : undefined),
  current: (catalog) => Object.fromEntries(catalog.keeping.changed().map(({ kind, months }) => [kind, { months }])),
  problems: recordProblems,
  put: (catalog, kind, { months }) => void catalog.keeping.set(kind, months),
}

const sweeps: Setting<'sweeps'> = {
  usual: () => nothingSet,
  current: (catalog) =>
    Object.fromEntries(
      catalog.sweepSettings
        .list()
        .filter(({ own }) => Object.values(own).some((value) => value !== null))
        .map(({ repositoryId, own }) => [repositoryId ?? '*', own]),
    ),
  problems: sweepScopeProblems,
  put: (catalog, name, own) => catalog.sweepSettings.set(scopeOf(name), own),
}

const scrubs: Setting<'scrubs'> = {
  usual: () => unread,
  current: (catalog) =>
    Object.fromEntries(
      catalog.scrubs.paces().map(({ repositoryId, level, budgetBytes }) => [repositoryId, { level, budgetBytes }]),
    ),
  problems: scrubProblems,
  put: (catalog, name, { level, budgetBytes }) =>
    catalog.scrubs.setPace(name, budgetBytes === null ? null : { level, budgetBytes }),
}

/** By what a change of it is called. */
export const settings = { slot: slots, record: records, sweep: sweeps, scrub: scrubs } as const
export type SettingKind = keyof typeof settings

export function isSetting(kind: string): kind is SettingKind {
  return Object.hasOwn(settings, kind)
}

/** As it is written down: how thoroughly nothing is read is no difference. */
export function withUsualScrubs({ scrubs: said, ...document }: PolicyDocument): PolicyDocument {
  if (said === undefined) return document
  const written = Object.entries(said).map(([name, one]) => [name, one.budgetBytes === null ? unread : one] as const)
  return { ...document, scrubs: Object.fromEntries(written) }
}

/** Carries out what a difference says of settings. */
export function putSettings(
  catalog: Catalog,
  document: PolicyDocument,
  changes: readonly { readonly kind: string; readonly name: string }[],
): void {
  const put = <S extends Section>(setting: Setting<S>, section: S, name: string): void => {
    const value =
      (document[section] as { readonly [name: string]: Value<S> } | undefined)?.[name] ?? setting.usual(name)
    if (value !== undefined) setting.put(catalog, name, value)
  }
  for (const { kind, name } of changes) {
    if (kind === 'slot') put(slots, 'slots', name)
    else if (kind === 'record') put(records, 'records', name)
    else if (kind === 'sweep') put(sweeps, 'sweeps', name)
    else if (kind === 'scrub') put(scrubs, 'scrubs', name)
  }
}
