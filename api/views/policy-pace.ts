import { formatBytes, formatDuration } from '../../base/index.ts'
import type { BandwidthLimit, EffectivePolicy, Hours, PlanSpec, Window } from '../../policy/index.ts'

type Pace = Pick<
  PlanSpec,
  'window' | 'bandwidth' | 'concurrency' | 'retries' | 'retryAfterMs' | 'priority' | 'stopBefore'
>

/** When and how fast a plan moves data, in words, by the name of each setting. What it leaves open is said, too. */
export function paceWords(plan: Pace): readonly (readonly [setting: string, value: string])[] {
  const { window, bandwidth, concurrency, retries, retryAfterMs, priority, stopBefore } = plan
  return [
    ['Power', stopBefore ? 'shut down before its snapshot, started after it' : 'as it is: backed up running or off'],
    ['Window', window === null ? 'none: at any time' : windowWords(window)],
    ['Bandwidth', bandwidth.length === 0 ? 'no limit of the plan' : bandwidth.map(limitWords).join('; ')],
    ['At once', `${concurrency} ${concurrency === 1 ? 'VM' : 'VMs'} of the plan, priority ${priority}`],
    [
      'Retries',
      retries === 0
        ? 'none in the same run'
        : `${retries} in the same run, ${formatDuration(retryAfterMs)} after a failure`,
    ],
  ]
}

export function compressionWords({ compressionLevel }: Pick<EffectivePolicy, 'compressionLevel'>): string {
  return `zstd ${compressionLevel.value}`
}

function windowWords({ start, end, days, atEnd }: Window): string {
  const then = atEnd === 'pause' ? 'goes on in the next one' : 'fails'
  return `${hoursWords({ start, end, days })}; what is under way at its end ${then}`
}

function limitWords({ bytesPerSecond, ...hours }: BandwidthLimit): string {
  return `${formatBytes(bytesPerSecond)}/s ${hours.start === hours.end ? 'always' : hoursWords(hours)}`
}

function hoursWords({ start, end, days }: Hours): string {
  return `${start} to ${end}${days === undefined ? '' : ` on ${days.join(', ')}`}`
}
