import { quoted } from '#lib/act/commands.ts'
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

/** What runs from a point, or brings it back, holds it as well, and lets go by itself. */
export function isEndedByHand({ actor }: Pick<Hold, 'actor'>): boolean {
  return !/^(instant|recovery):/.test(actor)
}

type Whose = Pick<PointDetail, 'id' | 'vmId'>

const because = (reason: string): string => (reason.trim() === '' ? '' : ` --reason ${quoted(reason.trim())}`)

export function releaseCommand({ id, vmId }: Whose, hold: string, reason: string): string {
  return `holdfast point release ${quoted(vmId)} ${id} --hold ${quoted(hold)}${because(reason)}`
}

/** `repositoryId` null: it lies in one only. */
export function removeCommand(
  { id, vmId, vmName }: Whose & Pick<PointDetail, 'vmName'>,
  repositoryId: string | null,
  reason: string,
): string {
  const from = repositoryId === null ? '' : ` --repository ${quoted(repositoryId)}`
  return `holdfast point rm ${quoted(vmId)} ${id}${from} --confirm ${quoted(vmName)}${because(reason.trim() || 'WHY')}`
}
