import type { PointDetail } from '#lib/api/types.ts'

type Hold = PointDetail['holds'][number]
export type HeldIn = Hold & { readonly places: readonly string[] }

/** Each repository has an object of its own of what is one hold to people: type, person and reason tell. */
export function holdsOf(holds: readonly Hold[]): HeldIn[] {
  const same = Map.groupBy(holds, ({ type, actor, reason }) => JSON.stringify([type, actor, reason]))
  return [...same.values()].flatMap((all) => {
    const [first] = all.toSorted((a, b) => (a.ms ?? 0) - (b.ms ?? 0))
    return first === undefined ? [] : [{ ...first, places: [...new Set(all.map((one) => one.repositoryId))].sort() }]
  })
}
