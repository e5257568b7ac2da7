import type { SlotResource } from '#lib/api/types.ts'
import { count, formatAge } from '#lib/format/index.ts'
import { look, type Look } from '#lib/state/tone.ts'

type Holder = SlotResource['runs'][number]

export const kindTitles: Record<SlotResource['kind'], string> = {
  host: 'Hypervisor hosts',
  datastore: 'Datastores',
  repository: 'Repositories',
  link: 'Links of sites',
}

export const holderLooks: Record<Holder['state'], Look> = {
  working: look('run', 'Works'),
  waiting: look('warn', 'Waits', 'clock'),
  parked: look('idle', 'Outside its window', 'pause'),
}

/** `host/lab` of hosts: `lab`. */
export function nameOf({ resource }: Pick<SlotResource, 'resource'>): string {
  return resource.slice(resource.indexOf('/') + 1)
}

/** In a fixed order of kinds, those that are full first. */
export function byKind(
  resources: readonly SlotResource[],
): readonly { readonly kind: SlotResource['kind']; readonly items: readonly SlotResource[] }[] {
  const kinds = Object.keys(kindTitles) as SlotResource['kind'][]
  return kinds.flatMap((kind) => {
    const items = resources
      .filter((one) => one.kind === kind)
      .toSorted((a, b) => b.waiting - a.waiting || b.working - a.working || (a.resource < b.resource ? -1 : 1))
    return items.length === 0 ? [] : [{ kind, items }]
  })
}

/** Which of what a run needs is full: what it really waits for. */
export function fullFor(run: Holder, resources: readonly SlotResource[]): string[] {
  return resources
    .filter(({ runs, working, slots }) => working >= slots && runs.some(({ runId }) => runId === run.runId))
    .map(({ resource }) => resource)
}

/** The one sentence above the tables. A run needs slots of several resources and counts once. */
export function slotSentence(resources: readonly SlotResource[], nowMs: number): string {
  const runs = [...new Map(resources.flatMap((one) => one.runs.map((run) => [run.runId, run]))).values()]
  const working = runs.filter(({ state }) => state === 'working').length
  const waiting = runs.filter(({ state }) => state === 'waiting')
  const works = working === 0 ? 'Nothing works' : `${count(working, 'run')} ${working === 1 ? 'works' : 'work'}`
  if (waiting.length === 0) return `${works}, and nothing waits.`
  const longest = nowMs - Math.min(...waiting.map(({ sinceMs }) => sinceMs))
  const wait = waiting.length === 1 ? '1 waits' : `${waiting.length} wait`
  return `${works}, ${wait} for a slot, the longest for ${formatAge(longest)}.`
}
