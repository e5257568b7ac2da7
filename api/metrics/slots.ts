import type { Catalog, SlotClaimRow } from '../../catalog/index.ts'
import { fullFor, slotKindOf, slotKinds, type SlotKind } from '../../policy/index.ts'
import { gauge, type Family } from './exposition.ts'

interface KindFigures {
  limit: number
  used: number
  waiting: number
  oldestMs: number
}

/** How much of what runs share is taken, and for how long somebody has stood in line, by kind of resource. */
export function slotFamilies(catalog: Catalog, nowMs: number): Family[] {
  const kinds = figuresOf(catalog, nowMs)
  const of = (value: (figures: KindFigures) => number) =>
    [...kinds].map(([kind, figures]) => ({ labels: { kind }, value: value(figures) }))
  return [
    gauge(
      'holdfast_slots_limit',
      'Slots of all resources of the kind together',
      of(({ limit }) => limit),
    ),
    gauge(
      'holdfast_slots_used',
      'Of these: slots that runs work on; one that stands still outside its window takes none',
      of(({ used }) => used),
    ),
    gauge(
      'holdfast_slots_waiting',
      'Runs that wait because a resource of the kind has no free slot',
      of(({ waiting }) => waiting),
    ),
    gauge(
      'holdfast_slots_oldest_wait_seconds',
      'For how long the first of these has waited; 0 if none does',
      of(({ oldestMs }) => oldestMs / 1000),
    ),
  ]
}

function figuresOf(catalog: Catalog, nowMs: number): Map<SlotKind, KindFigures> {
  const { slots } = catalog
  const kinds = new Map(slotKinds.map((kind) => [kind, { limit: 0, used: 0, waiting: 0, oldestMs: 0 }]))
  const claims = slots.list()
  const limits = new Map(resourcesOf(catalog, claims).map((resource) => [resource, slots.limitOf(resource)]))
  const limitOf = (resource: string): number => limits.get(resource) ?? slots.limitOf(resource)
  const add = (resource: string, change: (figures: KindFigures) => void): void => {
    const kind = slotKindOf(resource)
    const figures = kind && kinds.get(kind)
    if (figures) change(figures)
  }
  for (const [resource, slotsOf] of limits) add(resource, (figures) => (figures.limit += slotsOf))
  for (const claim of claims) {
    if (claim.grantedMs !== null) {
      if (!claim.parked) for (const need of claim.needs) add(need, (figures) => figures.used++)
      continue
    }
    const waitedMs = Math.max(0, nowMs - claim.requestedMs)
    // Once for each kind, however many of its resources are full.
    for (const kind of new Set(fullFor(claim, claims, limitOf).map((resource) => slotKindOf(resource)))) {
      const figures = kind && kinds.get(kind)
      if (!figures) continue
      figures.waiting++
      figures.oldestMs = Math.max(figures.oldestMs, waitedMs)
    }
  }
  return kinds
}

/** Those that runs could touch, whether one does or not: a limit that came and went with the runs would say nothing. */
function resourcesOf(catalog: Catalog, claims: readonly SlotClaimRow[]): string[] {
  const hosts = [...catalog.endpoints.all()]
  const repositories = [...catalog.repositories.all()]
  return [
    ...new Set([
      ...hosts.map(({ id }) => `host/${id}`),
      ...repositories.map(({ id }) => `repository/${id}`),
      ...[...hosts, ...repositories].map(({ site }) => `link/${site}`),
      ...catalog.slots.limits().map(({ resource }) => resource),
      ...claims.flatMap(({ needs }) => needs),
    ]),
  ]
}
