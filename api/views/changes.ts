import type { z } from '@hono/zod-openapi'
import { formatBytes } from '../../base/index.ts'
import type { Catalog, ChangeRow, PointView } from '../../catalog/index.ts'
import { turnedOf } from '../../policy/index.ts'
import type { changeDetailSchema, changeSchema } from '../schemas/changes.ts'

type Detail = z.infer<typeof changeDetailSchema>

export function changeView({ change }: Pick<PointView, 'change'>): z.infer<typeof changeSchema> | null {
  if (change === null) return null
  const { score, isSuspicious, isCompared, isFirst, review } = change
  return { state: stateOf({ isSuspicious, isCompared, isFirst, review }), score }
}

function stateOf(change: {
  readonly isSuspicious: boolean
  readonly isCompared: boolean
  readonly isFirst: boolean
  readonly review: 'expected' | 'attack' | null
}): Detail['state'] {
  if (change.isFirst) return 'first'
  if (!change.isCompared) return 'unknown'
  return change.review ?? (change.isSuspicious ? 'suspicious' : 'usual')
}

/** null: nobody has measured it. */
export function changeDetailView(catalog: Catalog, point: PointView): Detail | null {
  const row = catalog.changes.find(point.id)
  const note = changeView(point)
  if (row === undefined || note === null) return null
  const { figures, sign, beforeId, beforeMs, measuredMs, problem, usualBytes, review } = row
  const clean = row.isSuspicious ? catalog.changes.lastClean(row) : null
  const changed = figures === null ? 0 : figures.rewrittenStored + figures.addedStored
  return {
    ...note,
    ...{ sign, beforeId, beforeMs, measuredMs, problem, usualBytes },
    sentence: changeSentence(row),
    heldBytes: figures?.heldBytes ?? null,
    rewrittenBytes: figures?.rewrittenBytes ?? null,
    addedBytes: figures?.addedBytes ?? null,
    removedBytes: figures?.removedBytes ?? null,
    turnedBytes: figures === null ? null : turnedOf(figures),
    storedShareBefore: figures === null ? null : share(figures.rewrittenStoredBefore, figures.rewrittenBytes),
    storedShare: figures === null ? null : share(figures.rewrittenStored, figures.rewrittenBytes),
    // Tables and seals are new as well: what is new may be a little more than what changed.
    knownShare: changed === 0 ? null : Math.max(0, 1 - point.newBytes / changed),
    lastCleanId: clean?.id ?? null,
    lastCleanMs: clean?.createdMs ?? null,
    review,
  }
}

/** One sentence about what was found, for people who have a minute. */
export function changeSentence({ figures, sign, isSuspicious, problem, usualBytes }: ChangeRow): string {
  if (figures === null)
    return problem === null ? 'It is the first point: nothing to compare with.' : `Not compared: ${problem}.`
  const changed = figures.rewrittenBytes + figures.addedBytes
  if (!isSuspicious || sign === null)
    return changed + figures.removedBytes === 0
      ? 'Nothing changed since the point before.'
      : `${formatBytes(changed)} changed, nothing of it unusual.`
  const usual = usualBytes === null ? '' : ` What it does by itself is up to ${formatBytes(usualBytes)}.`
  switch (sign) {
    case 'encrypted': {
      const turned = turnedOf(figures)
      return `${formatBytes(turned)} that could be compressed no longer can, as after encryption: ${percent(turned, changed)} of what changed, ${percent(turned, figures.softBytes)} of all that could be compressed.${usual}`
    }
    case 'overwritten':
      return `${formatBytes(figures.rewrittenHardBytes)} have other content, ${percent(figures.rewrittenHardBytes, figures.heldBytes)} of what its disks held.${usual}`
    case 'emptied':
      return `${formatBytes(figures.removedBytes)} are empty now, ${percent(figures.removedBytes, figures.heldBytes)} of what its disks held.${usual}`
  }
}

function share(value: number, whole: number): number | null {
  return whole === 0 ? null : value / whole
}

function percent(value: number, whole: number): string {
  return whole === 0 ? 'an unknown share' : `${Math.round((100 * value) / whole)} %`
}
