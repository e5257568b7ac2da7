import { isHoldfastError } from '../../base/index.ts'
import type { Repository } from '../../repository/index.ts'
import type { RetentionActivities } from './types.ts'

type Held = Awaited<ReturnType<RetentionActivities['holdPoints']>>

/** Looks first: an attempt whose answer was lost has placed some of them. */
export async function holdPoints(
  repository: Pick<Repository, 'hold' | 'listHolds'>,
  { stems, type, actor, reason }: Parameters<RetentionActivities['holdPoints']>[0],
  signal: AbortSignal,
  say: (what: string) => void,
): Promise<Held> {
  const own = (await repository.listHolds(signal)).filter((hold) => hold.actor === actor && hold.type === type)
  const known = new Map(own.map(({ snap, name }) => [snap, name]))
  const held: Held['held'][number][] = []
  const refused: Held['refused'][number][] = []
  for (const stem of stems) {
    const before = known.get(stem.slice(-32))
    try {
      held.push({ stem, hold: before ?? (await repository.hold({ stem, type, actor, reason }, signal)) })
      say(`${held.length} of ${stems.length} points are held`)
    } catch (error) {
      if (!isHoldfastError(error) || !['HoldRefused', 'StoreDenied'].includes(error.code)) throw error
      refused.push({ stem, why: error.message.slice(0, 100) })
    }
  }
  return { held, refused }
}
