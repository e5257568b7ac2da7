import { createHash, randomBytes } from 'node:crypto'
import { isHoldfastError, MiB } from '../base/index.ts'
import { canonicalJson, names, parseName, probeKind, toHex, type Fmt } from './format/index.ts'
import { readFmt } from './objects.ts'
import {
  connectTo,
  foreignEntries,
  FULL_PROBE,
  getObject,
  layOut,
  listAll,
  probePlace,
  traitsOf,
  type ObjectStore,
  type ProbeSize,
  type StoreTraits,
} from './store/index.ts'
import type { ProbeReport, RepositoryLocation } from './types.ts'

const { signal } = new AbortController()
/** §3.2: how many results are kept in the repository. */
const KEPT = 12

/**
 * The litmus probe (§14.4) at a location, whether or not a repository is there; if one is, the result is recorded in it. A
 * place that does not exist is made.
 */
export async function probeLocation(location: RepositoryLocation, size: ProbeSize = FULL_PROBE): Promise<ProbeReport> {
  const { report, store } = await probeAt(location, size)
  const found = await readFmt(store)
  if (found !== undefined) await recordProbe(store, found.fmt.repo, report, Date.now())
  return report
}

/** While somebody waits for the answer: over a slow line the whole probe takes minutes. Nothing is recorded. */
const SHORT_PROBE: ProbeSize = { objects: 20, rounds: 20, listed: 1_100, racers: 20, largest: 16 * MiB }

/** As probeLocation, but of a store behind a network a part only, and without a trace in the repository. */
export async function testLocation(location: RepositoryLocation): Promise<ProbeReport> {
  const { report } = await probeAt(location, location.kind === 'posix' ? FULL_PROBE : SHORT_PROBE)
  return report
}

/** How long the store takes for one small read, in milliseconds: the middle of three. Whether a repository is there, it does not say. */
export async function pingLocation(location: RepositoryLocation): Promise<number> {
  const store = connectTo(location)()
  const took: number[] = []
  for (let read = 0; read < 3; read++) {
    const began = performance.now()
    await store.head(names.fmt(0))
    took.push(performance.now() - began)
  }
  return took.sort((a, b) => a - b)[1] ?? 0
}

async function probeAt(
  location: RepositoryLocation,
  size: ProbeSize,
): Promise<{ readonly report: ProbeReport; readonly store: ObjectStore }> {
  if ((await foreignEntries(location)).length === 0) await layOut(location)
  const connect = connectTo(location)
  return { report: await probePlace(location, connect, { size }), store: connect() }
}

/** Puts a result into the repository and removes those that it makes too old. */
export async function recordProbe(store: ObjectStore, repo: string, report: ProbeReport, ms: number): Promise<void> {
  const body = probeBytes(repo, report, ms)
  const sha256 = createHash('sha256').update(body).digest()
  await store.putIfAbsent(names.probe(ms, toHex(randomBytes(8))), body, { sha256, signal })
  // Newest first, by their names.
  const all = (await listAll(store, 'probe/')).filter(({ name }) => parseName(name)?.kind === 'probe')
  for (const { name } of all.slice(KEPT)) await store.delete(name)
}

/**
 * What connections to a repository have to know of its store: from the probe of its init, which is signed, and from the last
 * one, which is not and so can make them more careful only.
 */
export async function knownTraits(store: ObjectStore, fmt: Fmt, warn: (message: string) => void): Promise<StoreTraits> {
  const lock = fmt.lock && { lock: fmt.lock.mode }
  const { objects } = await store.list('probe/')
  const newest = objects.find(({ name }) => parseName(name)?.kind === 'probe')
  if (newest === undefined) return { ...traitsOf([fmt.probe]), ...lock }
  try {
    const last = probeKind.read(probeKind.parse(await getObject(store, newest.name, signal)))
    return { ...traitsOf([fmt.probe, ...(last.repo === fmt.repo ? [last] : [])]), ...lock }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    warn(`${newest.name} was ignored: ${error.message}`)
    return { ...traitsOf([fmt.probe]), ...lock }
  }
}

/** The object `probe/…`. */
export function probeBytes(repo: string, probe: ProbeReport, ms: number): Uint8Array {
  return canonicalJson(probeKind.write({ repo, ...probeMembers(probe, ms) }))
}

export function probeMembers({ passed, checks, staleMs, skewMs }: ProbeReport, ms: number): Fmt['probe'] {
  return { ms, passed, checks: checks.map((check) => ({ ...check })), staleMs, skewMs }
}
