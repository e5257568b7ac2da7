import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { names, ownerKind } from './format/index.ts'
import { protectJson } from './keys/index.ts'
import { history, mirrorLabs, run, type MirrorLabs } from './mirror/testing.ts'
import type { OpenedRepository } from './repository.ts'
import { FaultClock, FaultyStore } from './store/index.ts'
import { noSignal, RepositoryLab, uuid, type MemoryBucket } from './testing/index.ts'

let lab: RepositoryLab
let bucket: MemoryBucket
beforeAll(async () => void (lab = await RepositoryLab.create()))
afterAll(() => lab[Symbol.asyncDispose]())
beforeEach(() => void (bucket = lab.bucket.clone()))

const series = 'ab'.repeat(16)
const north = { installation: uuid(), name: 'north' }
const south = { installation: uuid(), name: 'south' }
const east = { installation: uuid(), name: 'east' }
const open = (internals?: Parameters<RepositoryLab['open']>[0]) => lab.over(bucket).open(internals)
const claim = (repository: OpenedRepository, who: typeof north, takeFrom: readonly string[] = []) =>
  repository.claimSeries({ series, ...who, takeFrom }, noSignal)
const marks = () => bucket.names('own/').length
const namesOf = async (repository: OpenedRepository) =>
  (await repository.owners(series, noSignal)).owners.map(({ name }) => name)

describe('who protects a series', () => {
  it('is whoever marked it first; a second one is told the name and writes nothing', async () => {
    await using one = await open()
    await using two = await open()
    expect(await claim(one, north)).toMatchObject(north)
    expect(await claim(two, south)).toMatchObject(north)
    expect(await claim(one, north)).toMatchObject(north)
    expect(marks()).toBe(1)
  })

  it('is taken over on purpose only, from the installation that was named; the newest mark counts, whatever the clocks say', async () => {
    await using one = await open({ clock: () => 2_000_000_000_000 })
    await using two = await open({ clock: () => 1_700_000_000_000 })
    await claim(one, north)
    expect(await claim(two, south, ['east'])).toMatchObject(north)
    expect(await claim(two, south, ['north'])).toMatchObject(south)
    expect(await claim(one, north)).toMatchObject(south)
    expect(await claim(one, north, [south.installation])).toMatchObject(north)
    expect(await namesOf(two)).toEqual(['north', 'south', 'north'])
  })

  it('comes back with the id of an installation, and a new name is written down', async () => {
    await using repository = await open()
    await claim(repository, north)
    expect(await claim(repository, { ...north, name: 'north again' })).toMatchObject({ name: 'north again' })
    expect(await claim(repository, south)).toMatchObject({ name: 'north again' })
  })

  it('is never two: whichever look the other one comes in between', async () => {
    for (let n = 1; n <= 4; n += 1) {
      bucket = lab.bucket.clone()
      await using other = await open()
      const calls: string[] = []
      let second: Promise<{ name: string }> | undefined
      const connect = () =>
        new (class extends FaultyStore {
          override async list(prefix: string, cursor?: string) {
            if (prefix.startsWith('own/') && calls.push('list') === n) second ??= claim(other, south)
            await second
            return await super.list(prefix, cursor)
          }
          override async putIfAbsent(...args: Parameters<FaultyStore['putIfAbsent']>) {
            if (args[0].startsWith('own/') && calls.push('put') === n) second ??= claim(other, south)
            await second
            return await super.putIfAbsent(...args)
          }
        })(bucket.connect(), () => undefined)
      await using one = await open({ connect })
      const first = await claim(one, north)
      const then = await (second ?? claim(other, south))
      const goOn = [first.name === 'north', then.name === 'south'].filter(Boolean)
      expect(goOn.length, `cut in at call ${n} of ${calls.join(', ')}`).toBe(1)
      const [owner] = await namesOf(other)
      expect(owner).toBe(first.name === 'north' ? 'north' : 'south')
    }
  })

  it('stays one after a death at any call to the store, and the next attempt of the same one gets it', async () => {
    for (let n = 0; ; n += 1) {
      bucket = lab.bucket.clone()
      const clock = new FaultClock()
      let base = Infinity
      const connect = () =>
        new FaultyStore(
          bucket.connect(),
          (call) => (call.n - base >= n ? { kind: 'fail', code: 'StoreUnavailable' } : undefined),
          clock,
        )
      await using one = await open({ connect })
      base = clock.calls.length
      const [outcome] = await Promise.allSettled([claim(one, north)])
      await using again = await open()
      expect(await claim(again, north)).toMatchObject(north)
      expect(await claim(again, south)).toMatchObject(north)
      expect(marks()).toBe(1)
      if (outcome.status === 'fulfilled') break
      expect(outcome.reason).toMatchObject({ code: 'StoreUnavailable' })
    }
  })
})

describe('a mark that says nothing', () => {
  const plant = (repository: OpenedRepository, ms: number, over: object = {}, at = ms): string => {
    const { ring } = repository.engine
    const fields = { repo: ring.repo, series, ...south, ms, ...over }
    const name = names.owner(series, at, '1'.repeat(16))
    bucket.set(name, protectJson(ownerKind, fields, ring, 'writer'))
    return name
  }

  it('because it cannot be read now is not absent: nobody goes on, and nothing is written', async () => {
    {
      await using repository = await open()
      await claim(repository, south)
    }
    const connect = () =>
      new FaultyStore(bucket.connect(), ({ name, op }) =>
        op === 'get' && name.startsWith('own/') ? { kind: 'fail', code: 'StoreUnavailable' } : undefined,
      )
    await using repository = await open({ connect })
    await expect(claim(repository, north)).rejects.toMatchObject({ code: 'StoreUnavailable' })
    expect(marks()).toBe(1)
  })

  it('of a later version is not absent either', async () => {
    await using repository = await open()
    const name = plant(repository, 5)
    const { ring } = repository.engine
    const later = {
      ...ownerKind,
      write: (value: Parameters<typeof ownerKind.write>[0]) => ({ ...ownerKind.write(value), v: 2 }),
    }
    bucket.set(name, protectJson(later, { repo: ring.repo, series, ...south, ms: 5 }, ring, 'writer'))
    await expect(claim(repository, north)).rejects.toMatchObject({ code: 'FormatUnsupported' })
  })

  it('because it is damaged, or was copied to another name, does not count and is named', async () => {
    await using repository = await open()
    await claim(repository, north)
    const damaged = plant(repository, 3_000_000_000_000)
    const body = Uint8Array.from(bucket.body(damaged))
    body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1
    bucket.set(damaged, body)
    const replayed = plant(repository, 7, {}, 3_100_000_000_000)
    const foreign = plant(repository, 3_200_000_000_000, { series: 'cd'.repeat(16) })
    const { owners, ignored } = await repository.owners(series, noSignal)
    expect(owners).toMatchObject([north])
    expect(ignored.map(({ object }) => object).sort()).toEqual([damaged, replayed, foreign].sort())
    expect(await claim(repository, north)).toMatchObject(north)
  })
})

describe('a mirror', () => {
  let labs: MirrorLabs
  beforeAll(async () => void (labs = await mirrorLabs()))
  afterAll(() => labs[Symbol.asyncDispose]())

  it('carries the mark along, follows a take-over, and refuses a series that another installation writes there', async () => {
    const here = labs.source.over(labs.source.bucket.clone())
    const there = labs.sibling.over(labs.sibling.bucket.clone())
    const { stems } = await history(here, 90)
    const of = stems[0]?.split('/')[1] ?? ''
    await using from = await here.open()
    await using to = await there.open()
    const owner = async () => (await to.owners(of, noSignal)).owners.map(({ name }) => name)
    const [first = '', second = ''] = stems
    expect((await run(from, to, { points: [first], dryRun: true })).points).toMatchObject([{ outcome: 'planned' }])
    expect(await owner()).toEqual([])
    await from.claimSeries({ series: of, ...north }, noSignal)
    expect((await run(from, to, { points: [first] })).points).toMatchObject([{ outcome: 'mirrored' }])
    expect(await owner()).toEqual(['north'])
    await from.claimSeries({ series: of, ...east, takeFrom: ['north'] }, noSignal)
    expect((await run(from, to, { points: [second] })).points).toMatchObject([{ outcome: 'mirrored' }])
    expect(await owner()).toEqual(['east', 'north'])
    // After a disaster somebody goes on from the copy; the first site comes back.
    await to.claimSeries({ series: of, ...south, takeFrom: ['east'] }, noSignal)
    const { points } = await run(from, to, { points: [first] })
    expect(points).toMatchObject([{ stem: first, outcome: 'failed' }])
    expect(points[0]?.problem).toContain('south')
    expect(await owner()).toEqual(['south', 'east', 'north'])
  })
})
