import { describeError, formatBytes, formatDuration, isHoldfastError } from '../../base/index.ts'
import { pairs } from '../render/table.ts'
import { isProven, mostFrozenMs, type DemoFacts } from './proven.ts'

/** What `--json` writes: everything was measured in this run, null is what was not. */
export interface DemoSummary extends DemoFacts {
  /** All claims hold, and the story came to its end. */
  readonly proven: boolean
  /** Why it did not. */
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null
}

/** `failure`: what ended the story early. */
export function summaryOf(facts: DemoFacts, failure: unknown = null): DemoSummary {
  if (failure === null) return { proven: isProven(facts), error: null, ...facts }
  const known = isHoldfastError(failure) ? failure : null
  const error = { code: known?.code ?? 'Internal', message: describeError(failure), hint: known?.hint ?? null }
  return { proven: false, error, ...facts }
}

/** The table at the end of a story that was told whole. */
export function summaryText(summary: DemoSummary): string {
  const { points, resume, restore, drill, ratios, throughput, verify } = summary
  return pairs([
    ...points.map(
      (point) =>
        [
          `${point.mode} backup`,
          `${formatBytes(point.logicalBytes)} of disks, ${formatBytes(point.readBytes)} read, ${formatBytes(point.newBytes)} stored, ${point.consistency}-consistent`,
        ] as const,
    ),
    [
      'guest frozen for',
      summary.frozenMs === null
        ? 'not frozen'
        : `${formatDuration(summary.frozenMs)} (at most ${formatDuration(mostFrozenMs)} promised)`,
    ],
    [
      'after kill -9',
      `${shown(resume.bytesResumed, formatBytes)} of the disks stayed done, ${readAgainText(resume.bytesReadAgain)}`,
    ],
    [
      'verified',
      `${shown(verify.chunks, String)} chunks decrypted and hashed, ${shown(verify.damages, String)} damaged`,
    ],
    [
      'restored',
      `${restore.identical === true ? 'identical' : 'DIFFERENT'}, ${shown(restore.writtenBytes, formatBytes)} written in ${shown(restore.writeMs, formatDuration)} (${shown(restore.logicalBytes, formatBytes)} of disks, holes stay holes; the whole run ${shown(restore.durationMs, formatDuration)})`,
    ],
    ['drill', `${drill.verdict ?? 'no verdict'}, recovery time ${shown(drill.rtoSeconds, (s) => `${s.toFixed(1)} s`)}`],
    ['deduplication', shown(ratios.dedup, (n) => `${n.toFixed(2)} ×`)],
    ['compression', shown(ratios.compression, (n) => `${n.toFixed(2)} ×`)],
    [
      'throughput',
      `full ${shown(throughput.fullBytesPerSecond, rate)} read, incremental ${shown(throughput.incrementalBytesPerSecond, rate)} read (killed once), restore ${shown(throughput.restoreBytesPerSecond, rate)} written`,
    ],
  ])
}

/** null: nobody could measure it. */
export function readAgainText(bytes: number | null): string {
  return bytes === null ? 'how much was read again is unknown' : `${formatBytes(bytes)} read again`
}

function rate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`
}

function shown(value: number | null, format: (value: number) => string): string {
  return value === null ? 'not measured' : format(value)
}
