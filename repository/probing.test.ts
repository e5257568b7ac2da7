import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { names, parseName, type Fmt } from './format/index.ts'
import { knownTraits, probeBytes, probeMembers, recordProbe } from './probing.ts'
import { probePlace, requireFit, SMALL_PROBE } from './store/index.ts'
import { MemoryBucket } from './testing/index.ts'
import type { ProbeReport } from './types.ts'

const repo = 'ab'.repeat(16)
const sound: ProbeReport = {
  passed: true,
  checks: [{ name: 'put if absent', passed: true, detail: '' }],
  staleMs: 0,
  skewMs: 3,
  writeRate: 1,
  readRate: 1,
}
const fmtOf = (report: ProbeReport) => ({ repo, probe: probeMembers(report, 1) }) as unknown as Fmt

describe('the results of probes', () => {
  it('are kept in the repository, the last twelve', async () => {
    const bucket = new MemoryBucket()
    for (let ms = 1; ms <= 15; ms++) await recordProbe(bucket.connect(), repo, sound, ms)
    const kept = bucket.names('probe/')
    expect(kept).toHaveLength(12)
    // The newest sort first.
    const times = kept.map((name) => parseName(name)).map((parsed) => (parsed?.kind === 'probe' ? parsed.ms : 0))
    expect(times).toEqual(Array.from({ length: 12 }, (_, index) => 15 - index))
  })

  it('are what connections go by: the more careful of the first and the last', async () => {
    const bucket = new MemoryBucket()
    const warnings: string[] = []
    const known = (first: ProbeReport) => knownTraits(bucket.connect(), fmtOf(first), (text) => warnings.push(text))
    expect(await known(sound)).toEqual({})
    expect(await known({ ...sound, staleMs: 700 })).toEqual({ settleMs: 7_000 })

    await recordProbe(bucket.connect(), repo, { ...sound, staleMs: 100 }, 10)
    const ignored = { ...sound, checks: [{ name: 'put if absent', passed: false, detail: 'ignored' }] }
    expect(await known(sound)).toEqual({ settleMs: 1_000 })
    expect(await known({ ...ignored, staleMs: 700 })).toEqual({ settleMs: 7_000, putIfAbsent: 'emulated' })

    // Another one's result says nothing, and a damaged one is told.
    await recordProbe(bucket.connect(), 'cd'.repeat(16), { ...sound, staleMs: 900 }, 20)
    expect(await known(sound)).toEqual({})
    const body = probeBytes(repo, sound, 30).subarray(3)
    const sha256 = createHash('sha256').update(body).digest()
    const { signal } = new AbortController()
    await bucket.connect().putIfAbsent(names.probe(30, 'ef'.repeat(8)), body, { sha256, signal })
    expect(await known(sound)).toEqual({})
    expect(warnings).toHaveLength(1)
  })
})

describe('whether a store is fit', () => {
  const check = (name: string, passed: boolean) => ({ name, passed, detail: 'detail' })
  const failing = (...failed: string[]): ProbeReport => ({
    ...sound,
    passed: false,
    checks: ['read after write', 'staleness of listings', 'mount'].map((name) => check(name, !failed.includes(name))),
  })

  it('depends on every check; listings of a mount that lag are for the operator to accept', () => {
    requireFit(sound, undefined)
    expect(() => requireFit(failing('mount'), undefined)).toThrow(/mount: detail/)
    expect(() => requireFit(failing('staleness of listings'), 'one-host')).toThrow(/staleness/)
    requireFit(failing('mount', 'staleness of listings'), 'accept')
    expect(() => requireFit(failing('mount', 'read after write'), 'accept')).toThrow(/read after write/)
  })

  it('cannot be accepted away behind a network: only a mount has a cache of ours to blame', () => {
    const { checks, ...rest } = failing('staleness of listings')
    const remote = { ...rest, checks: checks.filter(({ name }) => name !== 'mount') }
    expect(() => requireFit(remote, 'accept')).toThrow(/staleness/)
  })

  it('says of a directory what it lies on', async () => {
    const bucket = new MemoryBucket()
    const report = await probePlace({ kind: 'posix', path: '/' }, () => bucket.connect(), { size: SMALL_PROBE })
    expect(report.checks.at(-1)).toMatchObject({ name: 'mount', passed: true })
    expect(report.passed).toBe(true)
  })
})
