import type { Incident } from '#lib/api/types.ts'

type Numbered = Pick<Incident, 'id' | 'recoveredMs'>

/** Open ones that began after the one that was seen last: their numbers only grow. */
export function unseen(list: readonly Numbered[], last: number): number {
  return list.filter(({ id, recoveredMs }) => recoveredMs === null && id > last).length
}

/** The highest number that is known. */
export function newest(list: readonly Numbered[], last: number): number {
  return list.reduce((most, { id }) => Math.max(most, id), last)
}
