import { formatDuration, HoldfastError, isHoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { names, parseName, probeKind } from '../format/index.ts'
import { getWhole, inParallel, listAll, tolerated, traitsOf } from '../store/index.ts'
import type { ProbeReport } from '../types.ts'
import { removeObject } from './remove.ts'

/** What is kept of a probe, or was seen of it now. */
type Probed = Pick<ProbeReport, 'passed' | 'checks' | 'staleMs'>

/** §9.8. */
const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000
const LEFT_MS = 24 * 60 * 60 * 1000
const PARALLEL = 16

/**
 * §9.8: who collects goes by a full probe that passed and is younger than a week, and sees checks 1 to 3 of it hold now. Throws
 * ProbeOutdated, or StoreUnfit with the check. Defence in depth: the argument of §10 rests on the store keeping its promises
 * while the collection runs, and this is the nearest that can be looked at.
 */
export async function requireProbed(
  engine: Engine,
  nowMs: number,
  onProgress: (what: string) => void,
  signal: AbortSignal,
): Promise<void> {
  if (engine.recheck === undefined) return
  const last = await newestProbe(engine, signal)
  const age = nowMs - last.modifiedMs
  if (age > MAX_AGE_MS) {
    throw new HoldfastError('ProbeOutdated', `the store was last probed ${formatDuration(age)} ago`, {
      data: { probedMs: last.modifiedMs },
    })
  }
  requirePassed(last.probe, engine.fmt.probe)
  requireSettled(engine, last.probe)
  onProgress('probing the store')
  await sweepProbes(engine, nowMs)
  const now = await engine.recheck.run()
  requirePassed({ ...now, passed: now.checks.every(({ passed }) => passed) }, engine.fmt.probe)
  requireSettled(engine, now)
}

/** A probe that was killed has left its objects; one that is under way elsewhere is younger. */
async function sweepProbes({ store }: Engine, nowMs: number): Promise<void> {
  const left = (await listAll(store, 'probe-tmp/')).filter(({ modified }) => nowMs - modified > LEFT_MS)
  await inParallel(left, PARALLEL, async ({ name }) => void (await removeObject(store, name)))
}

/** The newest result in `probe/` by the store's clock; else that of the init. */
async function newestProbe(
  { store, fmt, ring, warn }: Engine,
  signal: AbortSignal,
): Promise<{ readonly probe: Probed; readonly modifiedMs: number }> {
  const listed = (await listAll(store, 'probe/')).filter(({ name }) => parseName(name)?.kind === 'probe')
  for (const { name, modified } of listed.toSorted((a, b) => b.modified - a.modified)) {
    try {
      const bytes = await getWhole(store, name, signal)
      const probe = bytes && probeKind.read(probeKind.parse(bytes))
      if (probe?.repo === ring.repo) return { probe, modifiedMs: Number(modified) }
    } catch (error) {
      if (!isHoldfastError(error) || !error.code.startsWith('Format')) throw error
      warn(`${name} was ignored: ${error.message}`)
    }
  }
  const descriptor = (await store.head(names.fmt(0))) ?? (await store.head(names.fmt(1)))
  return { probe: fmt.probe, modifiedMs: Number(descriptor?.modified ?? 0) }
}

/** What had failed at the init already was accepted there (§14.3), or there would be no repository. */
function requirePassed(probe: Probed, atInit: Pick<Probed, 'checks'>): void {
  if (probe.passed) return
  const failed = probe.checks.filter(({ passed, name }) => !passed && !tolerated.has(name))
  const isAccepted = (name: string) => atInit.checks.some((check) => check.name === name && !check.passed)
  const others = failed.filter(({ name }) => !isAccepted(name))
  if (failed.length > 0 && others.length === 0) return
  const why = others.map(({ name, detail }) => `${name}: ${detail}`).join('; ')
  throw new HoldfastError(
    'StoreUnfit',
    `the last probe of the store failed: ${why || 'concurrent puts were mixed up'}`,
    {
      hint: 'Nothing was deleted. Find out what has changed at the store, then `holdfast repo probe` again.',
      data: { checks: probe.checks },
    },
  )
}

/** A store that lags by more than this connection waits for: it was opened before that was known. */
function requireSettled({ store, fmt }: Engine, probe: Pick<Probed, 'checks' | 'staleMs'>): void {
  const { settleMs = 0 } = traitsOf([fmt.probe, probe])
  if (settleMs <= store.capabilities.settle) return
  throw new HoldfastError(
    'StoreUnfit',
    `listings lag by ${formatDuration(probe.staleMs)}, and this connection waits for ${formatDuration(store.capabilities.settle)}`,
    { hint: 'Nothing was deleted. Run `holdfast repo probe`, and open the repository again: it then waits longer.' },
  )
}
