import type { Catalog } from '../../catalog/index.ts'
import { aVm } from '../../catalog/testing.ts'
import { defaultCategories, planDefaults, type Keep, type PlanSpec, type Schedule } from '../../policy/index.ts'
import type { Random } from '../simulation/random.ts'

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

/** What is protected, and what is promised to it. */
export interface Estate {
  readonly sites: readonly string[]
  readonly hypervisors: readonly string[]
  readonly repositories: readonly string[]
  readonly vms: readonly EstateVm[]
  readonly plans: readonly PlanSpec[]
}

export interface EstateVm {
  readonly id: string
  readonly category: 'critical' | 'important' | 'standard' | 'ephemeral'
  readonly site: string
  readonly hypervisor: string
  /** What a backup of it takes, more or less. */
  readonly takesMs: number
  /** When it is first seen: not all on one day. */
  readonly fromMs: number
  /** When its hypervisor no longer lists it; null: it stays. */
  readonly goneMs: number | null
}

const sites = [
  { name: 'paris', timeZone: 'Europe/Paris' },
  { name: 'newyork', timeZone: 'America/New_York' },
] as const
const categories = ['critical', 'important', 'standard', 'ephemeral'] as const

/** Of these: a mirror of what the plan for important VMs in Paris makes, with a retention of its own. */
export const vault = 'vault'
export const mirrored = { source: 'paris', plan: 'important-paris' } as const

const schedules: { readonly [name in EstateVm['category']]: Schedule } = {
  critical: { kind: 'every', everyMs: 4 * hour },
  // The clocks of both zones skip this time once a year.
  important: { kind: 'calendar', at: ['02:30'] },
  standard: { kind: 'calendar', at: ['01:15'] },
  ephemeral: { kind: 'cron', cron: '0 3 * * 0' },
}

/** Where a plan says nothing the category decides. */
const keeps: { readonly [plan: string]: Keep } = {
  'standard-newyork': { daily: 10, weekly: 6, monthly: 3 },
  'critical-newyork': { last: 12, hourly: 24, daily: 30, weekly: 12, monthly: 12, yearly: 2 },
}
export const vaultKeeps: Keep = { daily: 7, weekly: 8, monthly: 6 }

export function estateOf(random: Random, count: number, beginMs: number): Estate {
  const vms = Array.from({ length: count }, (_, n): EstateVm => {
    const category = categories[n % 4] ?? 'standard'
    const site = sites[(n + (n >> 2) + 1) % 2] ?? sites[0]
    const fromMs = beginMs + Math.floor((n / count) * 4) * 6 * hour
    return {
      id: `${category}-${String(n).padStart(3, '0')}`,
      category,
      site: site.name,
      hypervisor: `${site.name}-${1 + ((n >> 3) % 2)}`,
      takesMs: (1 + random.below(5)) * minute,
      fromMs,
      // One in twenty goes in the course of the year; its points go on ageing.
      goneMs: n % 20 === 7 ? fromMs + (60 + random.below(200)) * day : null,
    }
  })
  const plans = sites.flatMap((site) =>
    categories
      .filter((category) => vms.some((vm) => vm.category === category && vm.site === site.name))
      .map((category) => planOf(category, site)),
  )
  return {
    sites: sites.map(({ name }) => name),
    hypervisors: sites.flatMap(({ name }) => [`${name}-1`, `${name}-2`]),
    repositories: [...sites.map(({ name }) => name), vault],
    vms,
    plans,
  }
}

function planOf(category: EstateVm['category'], site: { readonly name: string; readonly timeZone: string }): PlanSpec {
  const name = `${category}-${site.name}`
  return {
    ...planDefaults,
    name,
    timeZone: site.timeZone,
    where: [
      { field: 'category', is: [category] },
      { field: 'site', is: [site.name] },
    ],
    schedule: schedules[category],
    targets: [
      { repository: site.name, copy: 'backup', keep: keeps[name] ?? null },
      ...(name === mirrored.plan ? [{ repository: vault, copy: 'mirror', keep: vaultKeeps } as const] : []),
    ],
  }
}

/** Drills are promised to nobody here: what makes them due has tests of its own. */
export function furnishEstate(catalog: Catalog, estate: Estate): void {
  for (const [name, category] of Object.entries(defaultCategories))
    catalog.categories.put(name, { ...category, drillEveryMs: null, exerciseEveryMs: null }, null)
  for (const name of estate.hypervisors) {
    const site = name.replace(/-\d+$/, '')
    catalog.endpoints.add({ name, platform: 'qemu', address: `/srv/${name}`, site, credentialRef: '', options: {} })
  }
  for (const name of estate.repositories)
    catalog.repositories.add({
      name,
      site: name === vault ? mirrored.source : name,
      location: { kind: 'posix', path: `/srv/${name}` },
      credentialRef: `file:/srv/secrets/${name}`,
    })
  for (const plan of estate.plans) catalog.plans.put(plan, 0)
}

let listings = 0

/** What the hypervisor lists at this moment. */
export function discover(catalog: Catalog, estate: Estate, hypervisor: string, nowMs: number): void {
  const there = estate.vms.filter(
    (vm) => vm.hypervisor === hypervisor && vm.fromMs <= nowMs && (vm.goneMs === null || vm.goneMs > nowMs),
  )
  const isNew = new Set(there.flatMap(({ id }) => (catalog.vms.find(id) === undefined ? [id] : [])))
  const listing = `listing-${(listings += 1)}`
  catalog.vms.recordDiscovered(
    hypervisor,
    listing,
    there.map(({ id }) => aVm(id)),
  )
  catalog.vms.closeListing(hypervisor, listing)
  // What a person says later of one that is known is not taken back.
  for (const { id, category } of there) if (isNew.has(id)) catalog.vms.change(id, { category })
}
