import { formatBytes, formatInstant } from '../base/index.ts'
import type { Catalog } from '../catalog/index.ts'
import { isUnexpectedFull } from '../policy/index.ts'
import { fullReasons, isFullReason } from '../workflows/shared/summaries.ts'
import type { Attention } from './attention.ts'
import { changeSentence } from './views/changes.ts'

const dayMs = 86_400_000

/** What is to be said of single points: changes that look like destruction, full reads that nobody wanted, damage. */
export function pointTrouble(catalog: Catalog, nowMs: number, most: number): Attention[] {
  return [
    ...suspiciousChanges(catalog, most),
    ...unexpectedFulls(catalog, nowMs, most),
    ...damagedPoints(catalog, most),
  ]
}

/** Until somebody has looked: the next point is like it again, and the files are as lost as before. */
function suspiciousChanges(catalog: Catalog, most: number): Attention[] {
  return catalog.changes.unreviewed(most).items.map(({ row, vmName, lastClean }) => ({
    kind: 'suspicious-change',
    severity: 'failed',
    title: `What changed on ${vmName} looks like destruction`,
    detail: `${changeSentence(row)} ${
      lastClean === null
        ? 'There is no point before it that nothing speaks against.'
        : `The last point that nothing speaks against is of ${formatInstant(lastClean.createdMs)}: hold it, whatever this turns out to be.`
    }`,
    sinceMs: row.createdMs,
    subject: { kind: 'point', id: row.pointId },
    action:
      lastClean === null
        ? { label: 'Look at it', command: `holdfast points ${row.vmId} --point ${row.pointId}` }
        : {
            label: 'Hold the last good point',
            command: `holdfast point pin ${row.vmId} ${lastClean.id} --reason "before a suspicious change"`,
          },
  }))
}

/** So long it is told, unless a later point of the VM was read by its changes again. */
const fullToldMs = 7 * dayMs

/** Whoever planned the night for changes only has to know why it took longer, and whether it will again. */
function unexpectedFulls(catalog: Catalog, nowMs: number, most: number): Attention[] {
  return catalog.points.unexpectedFulls(nowMs - fullToldMs, most).map((point) => {
    const disks = point.disks.filter(({ mode, why }) => isUnexpectedFull(mode, why))
    const [first] = disks
    const why = first && isFullReason(first.why) ? fullReasons[first.why] : point.unexpectedFull
    const read = disks.reduce((sum, { readBytes }) => sum + readBytes, 0)
    return {
      kind: 'unexpected-full',
      severity: 'attention',
      title: `${point.vmName} was read in full: ${why}`,
      detail: `${formatBytes(read)} of ${disks.map(({ disk, label }) => label || disk).join(', ')} instead of the changes. The point is whole. If the next one is full as well, look for what takes the change tracker away.`,
      sinceMs: point.createdMs,
      subject: { kind: 'point', id: point.id },
      action: { label: 'Look at it', command: `holdfast points ${point.vmId} --point ${point.id}` },
    }
  })
}

/** Until the VM has a whole point that was made after the damage was found. */
function damagedPoints(catalog: Catalog, most: number): Attention[] {
  return catalog.points.list({ limit: most }, { damaged: true }).items.map((point) => ({
    kind: 'point-damaged',
    severity: 'failed',
    title: `A recovery point of ${point.vmName} is damaged`,
    detail: `${point.damage ?? 'See the point'}. It counts for nothing any more; the next backup reads in full.`,
    sinceMs: point.damagedMs,
    subject: { kind: 'point', id: point.id },
    action: { label: 'See the point', command: `holdfast backup ${point.vmId}` },
  }))
}
