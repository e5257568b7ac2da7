import { formatBytes, formatDuration } from '../../base/index.ts'
import type { Damage, VerifyReport } from '../types.ts'

/** Ranges shown for one disk; the report itself has them all. */
const SHOWN = 8

/** The report as lines for people: what was checked, each damage with who needs it, and what to do. */
export function describeReport(report: VerifyReport): string[] {
  const { level, points, packs, chunks, bytes, damages, quarantined, notes, durationMs } = report
  const checked = `${points} points, ${packs} packs, ${chunks} chunks, ${formatBytes(bytes)} read`
  const lines = [`Verify ${level}: ${checked} in ${formatDuration(durationMs)}.`]
  for (const damage of damages) lines.push(...describeDamage(damage))
  for (const note of notes) lines.push(`Note: ${note}.`)
  if (damages.length === 0) {
    lines.push(
      level === 'full' ? 'Every stored byte was decoded and is right.' : 'Sizes, tables and references are right.',
    )
    return lines
  }
  const lost = new Set(damages.flatMap(({ affects }) => affects.map(({ stem }) => stem)))
  const packsHit = damages.some(({ pack, proved }) => pack !== null && proved)
  lines.push(`${damages.length} damages; ${lost.size} points need what is damaged.`)
  if (quarantined > 0)
    lines.push(`${quarantined} were quarantined: the next backup of the disks concerned stores the data again.`)
  else if (packsHit)
    lines.push('Nothing was changed. With --quarantine the next backup of the disks concerned stores the data again.')
  return lines
}

/** Exit code of a command: 0 all is well, 1 damage is proved, 3 something could not be read now and nothing is proved. */
export function verifyExitCode({ damages }: Pick<VerifyReport, 'damages'>): 0 | 1 | 3 {
  if (damages.length === 0) return 0
  return damages.some(({ proved }) => proved) ? 1 : 3
}

function describeDamage({ object, found, message, proved, affects }: Damage): string[] {
  const lines = [`${proved ? 'DAMAGED' : 'UNREADABLE'} ${object} (${found}): ${message}`]
  if (affects.length === 0) lines.push('  no point needs it')
  for (const { stem, vm, disk, ranges } of affects) {
    const shown = ranges.slice(0, SHOWN).map(({ start, end }) => `${start}–${end - 1}`)
    const more = ranges.length > SHOWN ? `, and ${ranges.length - SHOWN} more ranges` : ''
    const size = formatBytes(ranges.reduce((sum, { start, end }) => sum + end - start, 0))
    const where = disk === null ? '' : `, disk ${disk}: ${size} at bytes ${shown.join(', ')}${more}`
    lines.push(`  needed by ${vm === '' ? '' : `${vm}, `}point ${stem}${where}`)
  }
  return lines
}
