import { isDeepStrictEqual } from 'node:util'
import { planSpecOf, type Catalog } from '../../catalog/index.ts'
import { defaultCategory, isDefaultCategory, linkName, type Known } from '../../policy/index.ts'
import { categoryBody, planBody } from '../schemas/policy.ts'
import { recoveryPlanBody } from '../schemas/recovery-plans.ts'
import { channelBody } from '../schemas/alerts.ts'
import { vmPolicyBody, type PolicyDocument } from '../schemas/policy-file.ts'
import { linkLimitsBody } from '../schemas/slots.ts'
import { settings } from './settings.ts'

/** What there is, as a document: VMs only where something is said about them. */
export function currentPolicy(catalog: Catalog): PolicyDocument {
  const categories = catalog.categories
    .list()
    .map(({ name, revision: _r, createdMs: _c, changedMs: _m, vms: _v, ...spec }) => {
      return [name, categoryBody.parse(spec)] as const
    })
  const plans = catalog.plans.all().map(({ name, revision: _r, createdMs: _c, changedMs: _m, ...spec }) => {
    return [name, planBody.parse(spec)] as const
  })
  return {
    version: 1,
    categories: Object.fromEntries(categories),
    plans: Object.fromEntries(plans),
    vms: Object.fromEntries(touchedVms(catalog)),
    links: Object.fromEntries(
      catalog.links.list().map(({ hypervisorId, repositoryId, ...limits }) => {
        return [linkName({ hypervisorId, repositoryId }), linkLimitsBody.parse(limits)] as const
      }),
    ),
    recoveryPlans: Object.fromEntries(
      catalog.recoveryPlans.list().map((plan) => [plan.name, recoveryPlanBody.parse(planSpecOf(plan))] as const),
    ),
    sweeps: settings.sweep.current(catalog),
    scrubs: settings.scrub.current(catalog),
    slots: settings.slot.current(catalog),
    records: settings.record.current(catalog),
    channels: Object.fromEntries(
      catalog.alerts.channels().map(({ name, createdMs: _c, changedMs: _m, digestedMs: _d, ...spec }) => {
        return [name, channelBody.parse({ ...spec, url: withoutUser(spec.url) })] as const
      }),
    ),
  }
}

/** No secret is written down: older versions took a user and a password in the url of a channel. */
function withoutUser(text: string | null): string | null {
  const url = text === null ? null : URL.parse(text)
  if (url === null || (url.username === '' && url.password === '')) return text
  url.username = ''
  url.password = ''
  return url.href
}

export const untouched = vmPolicyBody.parse({})
/** Of a link, and it is none that has limits. */
export const unlimited = linkLimitsBody.parse({})

function* touchedVms(catalog: Catalog): Generator<readonly [string, typeof untouched]> {
  for (const { id, category, excludedReason: excluded } of catalog.policy.candidates()) {
    const { override, excludedUntilMs } = catalog.vms.get(id)
    const excludedUntil = excludedUntilMs === null ? null : dayText(excludedUntilMs)
    const policy = vmPolicyBody.parse({ ...override, category, excluded, excludedUntil })
    if (!isDeepStrictEqual(policy, untouched)) yield [id, policy]
  }
}

/** The shortest that says it: `2026-12-01`, `2026-12-01T08:30:00.000Z`. */
export function dayText(ms: number): string {
  const text = new Date(ms).toISOString()
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : text
}

/** Names that rules may use, with those that the file brings. */
export function knownNames(catalog: Catalog, document: PolicyDocument = { version: 1 }): Known {
  const hypervisors = [...catalog.endpoints.all()]
  const plans = new Map(catalog.plans.all().map(({ name, schedule }) => [name, { name, schedule }]))
  for (const [name, { schedule }] of Object.entries(document.plans ?? {})) plans.set(name, { name, schedule })
  return {
    repositories: [...catalog.repositories.all()].map(({ id }) => id),
    categories: [
      ...new Set([...catalog.categories.list().map(({ name }) => name), ...Object.keys(document.categories ?? {})]),
    ],
    hypervisors: hypervisors.map(({ id }) => id),
    sites: [...new Set(hypervisors.map(({ site }) => site))],
    cannotStop: hypervisors.filter(({ probe }) => probe?.capabilities?.['cleanStop'] === false).map(({ id }) => id),
    plans: [...plans.values()],
  }
}

/** What may be removed because a file does not name it; what everybody needs stays. */
export function isRemovable(kind: string, name: string): boolean {
  return kind !== 'category' || (!isDefaultCategory(name) && name !== defaultCategory)
}
