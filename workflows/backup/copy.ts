import { GiB, formatBytes } from '../../base/index.ts'
import type { BackupActivities, CopyDiskResult, PartRange } from '../../activities/backup/types.ts'
import type { PointInTime } from '../../drivers/values.ts'
import { workflowFailure } from '../shared/failures.ts'
import { attemptsPerStart } from '../shared/attempts.ts'
import { defaults, siteSteps } from '../shared/options.ts'
import { modeInWords } from '../shared/summaries.ts'
import { together } from '../shared/together.ts'
import { rangeOf } from './parts.ts'
import { roundRef } from './context.ts'
import type { DiskModes, RoundContext } from './context.ts'

const partsAtOnce = 4
const maxStarts = 500

/**
 * Copies all parts side by side. Each goes on at its last durable byte, whether a worker died, somebody paused the
 * run, or the repository was full for a while.
 */
export async function copyParts(
  ctx: RoundContext,
  what: { readonly point: PointInTime; readonly parts: readonly PartRange[]; readonly modes: DiskModes },
): Promise<readonly CopyDiskResult[]> {
  return together(
    what.parts.map((range) => () => copyPart(ctx, range, what.point, what.modes)),
    partsAtOnce,
  )
}

async function copyPart(
  ctx: RoundContext,
  range: PartRange,
  point: PointInTime,
  modes: DiskModes,
): Promise<CopyDiskResult> {
  const { input, control, ids } = ctx
  const mover = siteSteps<BackupActivities>(input.vm.site, 'mover', input.tuning)
  const disk = point.disks.find((it) => it.disk.key === range.disk)?.disk
  const mode = modes.get(range.disk)
  if (disk === undefined || mode === undefined) {
    throw workflowFailure('Internal', `part ${range.part} is of disk ${range.disk}, which the point does not have`)
  }
  const { start, end } = rangeOf(range, disk.size)
  const whole = start === 0 && end === disk.size
  const name = whole ? range.disk : `${range.disk}@${start / GiB}G`
  const size = whole
    ? formatBytes(disk.size)
    : `${formatBytes(start)} to ${formatBytes(end)} of ${formatBytes(disk.size)}`
  let starts = 0
  return control.patiently(`copying ${name}`, () =>
    control.pausable(() => {
      if (starts >= maxStarts)
        throw workflowFailure('SessionInvalid', `${name} was started ${starts} times in one session`)
      const attemptBase = attemptsPerStart * starts
      starts += 1
      const options = ids.step(`copy:${name}`, `${range.disk} · ${size} · ${modeInWords(mode.mode, mode.why)}`)
      return mover.copyDisk.executeWithOptions(options, [
        {
          ...roundRef(ctx),
          repository: input.repository,
          session: ctx.session,
          point,
          range,
          attemptBase,
          mode: mode.mode,
          compressionLevel: input.compressionLevel,
          journalSourceBytes: input.tuning.journalSourceBytes ?? defaults.journalSourceBytes,
          stallTimeoutMs: input.tuning.stallTimeoutMs ?? defaults.stallTimeoutMs,
          ...(input.bandwidth && { limits: [{ key: `plan/${input.plan ?? ''}`, ...input.bandwidth }] }),
        },
      ])
    }),
  )
}

/** How often the copy of a part was begun, over all starts. */
export function attemptsOf(copy: CopyDiskResult): number {
  return Math.floor((copy.attempt - 1) / attemptsPerStart) + ((copy.attempt - 1) % attemptsPerStart) + 1
}
