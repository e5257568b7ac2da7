/**
 * Who may work now. A resource (`host/lab`, `repository/main`, `link/lyon`) has so many slots across all plans; a run needs one
 * of each that it touches, all at once or none.
 */
export interface SlotClaim {
  readonly runId: string
  /** 1 first … 5 last; 6: in the background. Restores are 1, drills 4, mirrors and verifies 6. */
  readonly priority: number
  readonly requestedMs: number
  /** null: it waits. */
  readonly grantedMs: number | null
  /** It stands still outside its window: it keeps its grant and takes no room; without one it gets none. */
  readonly parked: boolean
  readonly needs: readonly string[]
}

export const slotKinds = ['host', 'datastore', 'repository', 'link'] as const
export type SlotKind = (typeof slotKinds)[number]

/** Where nobody has said otherwise. */
export const defaultSlots: { readonly [kind in SlotKind]: number } = { host: 4, datastore: 4, repository: 8, link: 16 }

/** Restores: they wait for each other, never for anything else. */
export const urgentPriority = 1

/** Mirrors and verifies: they begin where there is room beside everything else, and hold up nobody but each other. */
export const backgroundPriority = 6

/** `host/lab` → its kind; undefined: it is no resource. */
export function slotKindOf(resource: string): SlotKind | undefined {
  return slotKinds.find((kind) => resource.startsWith(`${kind}/`))
}

/**
 * What of its needs has no free slot for this claim. An urgent one sees only the urgent ones before it; one in the background
 * is seen only by others in the background.
 */
export function fullFor(
  claim: SlotClaim,
  claims: readonly SlotClaim[],
  limitOf: (resource: string) => number,
): string[] {
  const sees = ({ priority }: SlotClaim): boolean => {
    if (claim.priority <= urgentPriority) return priority <= urgentPriority
    return claim.priority >= backgroundPriority || priority < backgroundPriority
  }
  const holders = claims.filter((it) => it.grantedMs !== null && !it.parked && it.runId !== claim.runId && sees(it))
  return claim.needs.filter((need) => holders.filter(({ needs }) => needs.includes(need)).length >= limitOf(need))
}

/**
 * The claims that can be granted now, in order: the most urgent first, then the oldest. One that has to wait for one resource
 * does not hold up others that do not need it; whoever is first in line has the first choice of everything that is given
 * back.
 */
export function grantable(
  claims: readonly SlotClaim[],
  limitOf: (resource: string) => number,
  nowMs: number,
): string[] {
  let current = [...claims]
  const granted: string[] = []
  const waiting = claims
    // Outside its window nothing begins: what waits there has its turn when it opens, beside all others that wait.
    .filter(({ grantedMs, parked }) => grantedMs === null && !parked)
    .sort((a, b) => a.priority - b.priority || a.requestedMs - b.requestedMs || (a.runId < b.runId ? -1 : 1))
  for (const claim of waiting) {
    if (fullFor(claim, current, limitOf).length > 0) continue
    granted.push(claim.runId)
    current = current.map((it) => (it.runId === claim.runId ? { ...it, grantedMs: nowMs } : it))
  }
  return granted
}
