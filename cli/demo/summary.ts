import { MiB, formatBytes, formatDuration } from '../../base/index.ts'
import { pairs } from '../render/table.ts'

/** What `--json` writes. Every figure was measured in this run; durations in ms, sizes in bytes, rates per second. */
export interface DemoSummary {
  /** All of it: both backups validated, resumed as promised, restored identically, verified, drill passed. */
  readonly proven: boolean
  readonly durations: { readonly [scene: string]: number }
  readonly points: readonly {
    readonly id: string
    readonly mode: string
    readonly logicalBytes: number
    readonly readBytes: number
    readonly newBytes: number
    readonly freezeDurationMs: number | null
  }[]
  readonly resume: {
    readonly killedPid: number
    readonly journalSourceBytes: number
    readonly bytesResumed: number
    readonly bytesReadAgain: number
  }
  /** How long two file systems were frozen in the undisturbed full backup. */
  readonly frozenMs: number | null
  readonly verify: { readonly level: string; readonly chunks: number; readonly damages: number }
  readonly restore: { readonly identical: boolean; readonly bytes: number; readonly durationMs: number }
  readonly drill: { readonly verdict: string; readonly rtoSeconds: number | null; readonly screenshot: string | null }
  readonly ratios: { readonly dedup: number | null; readonly compression: number | null }
  readonly throughput: {
    readonly fullBytesPerSecond: number
    readonly incrementalBytesPerSecond: number
    readonly restoreBytesPerSecond: number
  }
}

/** At most this is read again after a kill, with journals every 32 MiB (the journal distance and what was in flight). */
export const mostReadAgain = 64 * MiB

export function summaryText(summary: DemoSummary): string {
  const { points, resume, restore, drill, ratios, throughput, verify } = summary
  const rate = (n: number): string => `${formatBytes(n)}/s`
  const ratio = (n: number | null): string => (n === null ? 'not measured' : `${n.toFixed(2)} ×`)
  return pairs([
    ...points.map(
      (point) =>
        [
          `${point.mode} backup`,
          `${formatBytes(point.logicalBytes)} of disks, ${formatBytes(point.readBytes)} read, ${formatBytes(point.newBytes)} stored`,
        ] as const,
    ),
    ['guest frozen for', summary.frozenMs === null ? 'not frozen' : formatDuration(summary.frozenMs)],
    ['after kill -9', `${formatBytes(resume.bytesResumed)} of the disks stayed done, ${formatBytes(resume.bytesReadAgain)} read again`],
    ['verified', `${verify.chunks} chunks decrypted and hashed, ${verify.damages} damaged`],
    [
      'restored',
      `${restore.identical ? 'identical' : 'DIFFERENT'}, ${formatBytes(restore.bytes)} in ${formatDuration(restore.durationMs)}`,
    ],
    [
      'drill',
      `${drill.verdict}, recovery time ${drill.rtoSeconds === null ? 'unknown' : `${drill.rtoSeconds.toFixed(1)} s`}`,
    ],
    ['deduplication', ratio(ratios.dedup)],
    ['compression', ratio(ratios.compression)],
    [
      'throughput',
      `full ${rate(throughput.fullBytesPerSecond)}, incremental ${rate(throughput.incrementalBytesPerSecond)} (killed once), restore ${rate(throughput.restoreBytesPerSecond)}`,
    ],
  ])
}
