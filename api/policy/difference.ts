import type { Catalog } from '../../catalog/index.ts'
import { HoldfastError } from '../../base/index.ts'
import {
  categoryProblems,
  namedLinkProblems,
  overrideProblems,
  parseLinkName,
  planProblems,
  type LinkEnds,
  type PolicyProblem,
  type RecoverySpec,
} from '../../policy/index.ts'
import type { PolicyDifference, PolicyDocument } from '../schemas/policy-file.ts'
import { channelProblems } from '../requests/channels.ts'
import { planCheck, requireEnded } from '../views/recovery-plans.ts'
import { parsePolicyFile } from './file.ts'
import { refuseWhileFollowed } from './followers.ts'
import { isSetting, putSettings, settings, withUsualScrubs, type SettingKind } from './settings.ts'
import { currentPolicy, dayText, isRemovable, knownNames, unlimited, untouched } from './state.ts'
import { toWords, wordOf, type WordProblem } from './words.ts'

type Kind = PolicyDifference['changes'][number]['kind']
type Member = PolicyDifference['changes'][number]['members'][number]
const sections = {
  category: 'categories',
  plan: 'plans',
  vm: 'vms',
  link: 'links',
  'recovery-plan': 'recoveryPlans',
  sweep: 'sweeps',
  scrub: 'scrubs',
  slot: 'slots',
  record: 'records',
  channel: 'channels',
} as const satisfies { readonly [kind in Kind]: keyof PolicyDocument }
const kinds = Object.keys(sections) as readonly Kind[]

/** Reads a file and checks it against what exists. Throws PolicyInvalid with every problem. */
export function readPolicy(catalog: Catalog, text: string, nowMs: number): PolicyDocument {
  const { document: read, refuse } = parsePolicyFile(text)
  const document = withDays(withNamedTiers(withUsualScrubs(read)), nowMs)
  const known = knownNames(catalog, document)
  const of = (section: string, name: string, problems: readonly PolicyProblem[]): WordProblem[] =>
    problems.map(({ path, message, hint }) => ({
      path: [section, name, ...path.map((part) => (typeof part === 'string' ? wordOf(part) : part))],
      message,
      hint,
    }))
  refuse([
    ...Object.entries(document.categories ?? {}).flatMap(([name, one]) =>
      of('categories', name, categoryProblems(one)),
    ),
    ...Object.entries(document.plans ?? {}).flatMap(([name, one]) =>
      of('plans', name, planProblems({ ...one, name }, known)),
    ),
    ...Object.entries(document.vms ?? {}).flatMap(([name, one]) => {
      const unknown: PolicyProblem[] = [
        ...(catalog.vms.find(name) === undefined
          ? [{ path: [], message: `there is no VM ${name}`, hint: '`holdfast vms` lists their ids.' }]
          : []),
        ...(known.categories.includes(one.category)
          ? []
          : [
              {
                path: ['category'],
                message: `there is no category ${one.category}`,
                hint: `There are: ${known.categories.join(', ')}.`,
              },
            ]),
      ]
      const endless: PolicyProblem[] =
        one.excluded === null && one.excludedUntil !== null
          ? [{ path: ['excludedUntil'], message: 'it is not left out', hint: 'Say why it is: excluded: …' }]
          : []
      return of('vms', name, [...unknown, ...endless, ...overrideProblems(one)])
    }),
    ...Object.entries(document.links ?? {}).flatMap(([name, one]) =>
      of('links', name, namedLinkProblems({ ...endsOf(name), ...one }, known)),
    ),
    ...Object.entries(document.recoveryPlans ?? {}).flatMap(([name, one]) =>
      of('recoveryPlans', name, recoveryPlanProblems(catalog, { ...one, name })),
    ),
    ...(Object.keys(settings) as SettingKind[]).flatMap((kind) => {
      const there = settings[kind].current(catalog)
      // What is set for something that is gone is no mistake of this file.
      const names = Object.keys(document[sections[kind]] ?? {}).filter((name) => !Object.hasOwn(there, name))
      return names.flatMap((name) => of(sections[kind], name, settings[kind].problems(name, known)))
    }),
    ...Object.entries(document.channels ?? {}).flatMap(([name, one]) => {
      const problems = channelProblems(one).map((message) => ({ path: [], message, hint: null }))
      return of('channels', name, problems)
    }),
  ])
  return document
}

/**
 * A moment has one way to be written, or the same one would be a change each time; what was left out until one that is over
 * is left out no more.
 */
function withDays({ vms, ...document }: PolicyDocument, nowMs: number): PolicyDocument {
  if (vms === undefined) return document
  const written = Object.entries(vms).map(([name, { excludedUntil, ...one }]) => {
    const untilMs = excludedUntil === null ? null : Date.parse(excludedUntil)
    const isOver = untilMs !== null && untilMs <= nowMs
    const until = untilMs === null || isOver ? null : dayText(untilMs)
    return [name, { ...one, ...(isOver && { excluded: null }), excludedUntil: until }] as const
  })
  return { ...document, vms: Object.fromEntries(written) }
}

/** A tier without a name has that of its key, as everywhere. */
function withNamedTiers({ recoveryPlans, ...document }: PolicyDocument): PolicyDocument {
  if (recoveryPlans === undefined) return document
  const named = Object.entries(recoveryPlans).map(([name, { tiers, ...one }]) => {
    return [name, { ...one, tiers: tiers.map((tier) => ({ ...tier, name: tier.name || tier.key })) }] as const
  })
  return { ...document, recoveryPlans: Object.fromEntries(named) }
}

/** What would keep it from being carried out; that a VM has no point yet is nobody's mistake. */
function recoveryPlanProblems(catalog: Catalog, spec: RecoverySpec): PolicyProblem[] {
  return planCheck(catalog, spec)
    .findings.filter(({ severity }) => severity === 'blocking')
    .map(({ at, message, hint }) => ({
      path: at.split('.').map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part)),
      message,
      hint: hint === '' ? null : hint,
    }))
}

/** Throws Internal: the shape has let no other name through. */
function endsOf(name: string): LinkEnds {
  const ends = parseLinkName(name)
  if (ends === null) throw new HoldfastError('Internal', `${name} names no link`)
  return ends
}

/**
 * What would have to change so that what exists is what the document says. Throws InUse where `prune` would remove a plan
 * that one of the document starts after.
 */
export function differenceTo(catalog: Catalog, document: PolicyDocument, prune: boolean): PolicyDifference {
  const now = currentPolicy(catalog)
  const changes: PolicyDifference['changes'] = []
  const unlisted: PolicyDifference['unlisted'] = []
  for (const kind of kinds) {
    const wanted = document[sections[kind]]
    if (wanted === undefined) continue
    const there: { readonly [name: string]: unknown } = now[sections[kind]] ?? {}
    for (const [name, after] of Object.entries(wanted)) {
      const usual = usualOf(kind, name)
      const isNew = usual === undefined && !Object.hasOwn(there, name)
      const before = there[name] ?? usual
      const members = memberChanges(before, after)
      if (isNew || members.length > 0) changes.push({ kind, name, action: isNew ? 'create' : 'change', members })
    }
    for (const [name, before] of Object.entries(there)) {
      if (Object.hasOwn(wanted, name) || !isRemovable(kind, name)) continue
      if (!prune) unlisted.push({ kind, name })
      else {
        const usual = usualOf(kind, name)
        if (usual === undefined) changes.push({ kind, name, action: 'remove', members: [] })
        else changes.push({ kind, name, action: 'change', members: memberChanges(before, usual) })
      }
    }
  }
  const kept = Object.entries(document.plans ?? {}).map(([name, { schedule }]) => ({ name, schedule }))
  for (const { kind, name, action } of changes)
    if (kind === 'plan' && action === 'remove') refuseWhileFollowed(name, kept)
  return { changes, unlisted }
}

/** What something is that is always there and of which nothing is said; undefined: it is there only where it is said. */
function usualOf(kind: Kind, name: string): object | undefined {
  if (kind === 'vm') return untouched
  return isSetting(kind) ? settings[kind].usual(name) : undefined
}

/** Leaf by leaf, in the file's words. */
export function memberChanges(before: unknown, after: unknown): Member[] {
  const [was, is] = [leavesOf(toWords(before ?? {})), leavesOf(toWords(after ?? {}))]
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((path) => was.get(path) !== is.get(path))
    .map((path) => ({ path, before: was.get(path) ?? null, after: is.get(path) ?? null }))
}

function leavesOf(value: unknown, path = '', into = new Map<string, string>()): Map<string, string> {
  const isPlain = Array.isArray(value) && value.every((item) => typeof item !== 'object')
  if (typeof value === 'object' && value !== null && !isPlain) {
    for (const [name, inner] of Object.entries(value)) leavesOf(inner, path === '' ? name : `${path}.${name}`, into)
  } else into.set(path, Array.isArray(value) ? value.join(', ') : String(value))
  return into
}

/**
 * Makes it so, all or nothing, and says what it did. Throws PolicyInvalid, and InUse for a category that VMs have or a plan
 * that others follow.
 */
export function applyPolicy(catalog: Catalog, text: string, prune: boolean, nowMs: number): PolicyDifference {
  return catalog.transaction(() => {
    const document = readPolicy(catalog, text, nowMs)
    const difference = differenceTo(catalog, document, prune)
    const ofKind = (kind: Kind, action: 'remove' | 'put') =>
      difference.changes.filter(
        (change) => change.kind === kind && (change.action === 'remove') === (action === 'remove'),
      )
    for (const { name } of ofKind('category', 'put')) {
      const category = document.categories?.[name]
      if (category) catalog.categories.put(name, category, null)
    }
    for (const { name } of ofKind('plan', 'put')) {
      const plan = document.plans?.[name]
      if (plan) catalog.plans.put({ ...plan, name }, null)
    }
    for (const { name } of ofKind('vm', 'put')) {
      const { category, excluded: excludedReason, excludedUntil, ...override } = document.vms?.[name] ?? untouched
      const excludedUntilMs = excludedUntil === null ? null : Date.parse(excludedUntil)
      catalog.vms.change(name, { category, excludedReason, excludedUntilMs, override })
    }
    // Those that go first: there are only so many.
    for (const { name } of ofKind('link', 'remove')) catalog.links.put({ ...endsOf(name), ...unlimited })
    for (const { name } of ofKind('link', 'put')) {
      const limits = document.links?.[name]
      if (limits) catalog.links.put({ ...endsOf(name), ...limits })
    }
    for (const { name } of ofKind('recovery-plan', 'remove')) {
      const { id } = recoveryPlanNamed(catalog, name) ?? { id: name }
      requireEnded(catalog, id, name)
      catalog.recoveryPlans.remove(id)
    }
    for (const { name } of ofKind('recovery-plan', 'put')) {
      const plan = document.recoveryPlans?.[name]
      const known = recoveryPlanNamed(catalog, name)
      if (plan === undefined) continue
      if (known === undefined) catalog.recoveryPlans.add({ ...plan, name })
      else catalog.recoveryPlans.set(known.id, { ...plan, name }, null)
    }
    putSettings(catalog, document, difference.changes)
    for (const { name } of ofKind('channel', 'remove')) catalog.alerts.removeChannel(name)
    for (const { name } of ofKind('channel', 'put')) {
      const channel = document.channels?.[name]
      if (channel) catalog.alerts.putChannel({ ...channel, name })
    }
    for (const { name } of ofKind('plan', 'remove')) catalog.plans.remove(name, null)
    for (const { name } of ofKind('category', 'remove')) catalog.categories.remove(name, null)
    return difference
  })
}

/** By its name: that is what it is in the file, and ids of others may read the same. */
function recoveryPlanNamed(catalog: Catalog, name: string): { readonly id: string } | undefined {
  return catalog.recoveryPlans.list().find((plan) => plan.name === name)
}
