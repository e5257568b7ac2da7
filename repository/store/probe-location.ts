import { formatDuration, HoldfastError, type RepositoryLocation } from '../../base/index.ts'
import type { ProbeReport } from '../types.ts'
import { isLocal, judgeMount, mountOf } from './posix-mount.ts'
import {
  FULL_PROBE,
  probeStore,
  REPEATED_LOCALLY,
  REPEATED_PROBE,
  tolerated,
  type ProbeSize,
  type RepeatedSize,
} from './probe.ts'
import type { Connect } from './store.ts'

/** Name of the check that looks at what a directory lies on. */
const MOUNT = 'mount'
const STALENESS = 'staleness of listings'

/**
 * What the operator says of a posix mount whose listings may lag (§14.3). `accept`: several hosts use it, and every writer
 * waits until listings have settled. `one-host`: no other host does, so nothing of another one can be missed.
 */
export type Degraded = 'accept' | 'one-host'

/** §14.4 at a location: the litmus probe, and for a directory what it lies on. */
export async function probePlace(
  location: RepositoryLocation,
  connect: Connect,
  options: { readonly size?: ProbeSize; readonly degraded?: Degraded | undefined } = {},
): Promise<ProbeReport> {
  const report = await probeStore([connect(), connect()], options.size ?? FULL_PROBE)
  if (location.kind !== 'posix') return report
  const { lagMs, detail } = judgeMount(await mountOf(location.path))
  const { degraded } = options
  const isOne = lagMs > 0 && degraded === 'one-host'
  const mount = { name: MOUNT, passed: lagMs === 0 || isOne, detail: isOne ? `${detail}; declared: one host` : detail }
  const staleMs = degraded === 'accept' ? Math.max(report.staleMs, lagMs) : report.staleMs
  return { ...report, staleMs, passed: report.passed && mount.passed, checks: [...report.checks, mount] }
}

/** §9.8: how much of the probe is repeated before each collection. */
export async function repeatedSize(location: RepositoryLocation): Promise<RepeatedSize> {
  const isHere = location.kind === 'posix' && isLocal(await mountOf(location.path))
  return isHere ? REPEATED_LOCALLY : REPEATED_PROBE
}

/** Throws StoreUnfit unless the store keeps what the repository relies on, or lags in a way that the operator accepts. */
export function requireFit(report: ProbeReport, degraded: Degraded | undefined): void {
  if (report.passed) return
  const failed = report.checks.filter(({ passed }) => !passed)
  const lags = failed.filter(({ name }) => name === MOUNT || name === STALENESS)
  const others = failed.filter((check) => !lags.includes(check) && !tolerated.has(check.name))
  const isMount = report.checks.some(({ name }) => name === MOUNT)
  if (isMount && others.length === 0 && lags.length > 0 && degraded === 'accept') return
  const why = failed.map(({ name, detail }) => `${name}: ${detail}`).join('; ')
  throw new HoldfastError('StoreUnfit', `the store does not keep what the repository relies on: ${why}`, {
    data: { checks: report.checks },
    ...(isMount && others.length === 0 && lags.length > 0 && { hint: lagHint(report.staleMs) }),
  })
}

function lagHint(staleMs: number): string {
  const measured = staleMs > 0 ? ` (measured: ${formatDuration(staleMs)})` : ''
  return (
    `Mount it so that directories are not cached${measured}. Else say --one-host if no other host will ever use the ` +
    'repository, or --accept-degraded: then every writer waits ten times that long before it trusts a listing.'
  )
}
