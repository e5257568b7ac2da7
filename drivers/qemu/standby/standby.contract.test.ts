import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { KiB, MiB, bytes, instant } from '../../../base/index.ts'
import { contextFor, expectSame, extentsOf, newPoint, Series, type Opened } from '../../contract/series.ts'
import type { HypervisorDriver, OpContext } from '../../driver.ts'
import type { StandbySpec, StandbyTarget } from '../../facets.ts'
import { runProgram } from '../../transport/index.ts'
import type { DiskKey, Endpoint } from '../../values.ts'
import { readDescription } from '../description.ts'
import { openQemu } from '../driver.ts'
import { direct, type Effects } from '../effects.ts'
import { stop } from '../launch.ts'
import { BareVm } from '../testing/bare.ts'

interface World extends AsyncDisposable {
  readonly vm: BareVm
  readonly source: HypervisorDriver
  readonly series: Series
  readonly other: Endpoint
  readonly ctx: OpContext
  readonly standby: StandbyTarget
  readonly dir: string
}

async function world(): Promise<World> {
  const vm = await BareVm.make()
  await vm.start()
  const source = openQemu(vm.endpoint)
  const root = mkdtempSync(join(tmpdir(), 'hf-sb-'))
  const other: Endpoint = { ...vm.endpoint, address: root, options: { scope: randomUUID() } }
  return {
    ...{ vm, source, other, dir: join(root, 'copy') },
    series: new Series(vm, source, 'replication'),
    ctx: contextFor({ ...vm.ref, id: 'restore' }, newPoint()),
    standby: standbyOf(openQemu(other)),
    async [Symbol.asyncDispose]() {
      for (const name of readdirSync(root)) await stop(join(root, name), { how: 'kill' })
      await vm[Symbol.asyncDispose]()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

function standbyOf({ standby }: HypervisorDriver): StandbyTarget {
  if (standby === null) throw new Error('no standbys')
  return standby
}

/** A round of the source, and the wish for the state that it is. */
async function openRound({ series, source, standby, ctx }: World): Promise<{ opened: Opened; spec: StandbySpec }> {
  const head = (await standby.inspect(ctx))?.head
  series.refs.clear()
  for (const { key, ref } of head?.disks ?? []) if (ref) series.refs.set(key, ref)
  const opened = await series.open()
  const { portable } = await source.exportConfig(opened.ctx, opened.point)
  return {
    opened,
    spec: {
      ...{ state: opened.point.id, name: 'copy', nativeConfigRef: null, networks: { user: 'user' } },
      vm: { ...portable, firmware: 'bios' },
      disks: opened.point.disks.map(({ disk, mode, since }) => ({
        ...{ key: disk.key, size: bytes(disk.size) },
        base: mode === 'incremental' ? (since?.point ?? null) : null,
      })),
    },
  }
}

async function fill({ source, standby, ctx }: World, { point, ctx: from }: Opened): Promise<void> {
  for (const { disk } of point.disks) {
    await using writer = await standby.openWriter(ctx, point.id, disk.key)
    await using reader = await source.openReader(from, point, disk.key)
    for (const { offset, length, kind } of await extentsOf(source, from, point, disk.key)) {
      if (kind === 'zero') await writer.zero({ start: offset, end: bytes(offset + length) })
      else
        for (let at: number = offset; at < offset + length; at += MiB) {
          const data = new Uint8Array(Math.min(MiB, offset + length - at))
          await reader.read(bytes(at), data)
          await writer.write(bytes(at), data)
        }
    }
    await writer.finish()
  }
}

async function cycle(here: World): Promise<Opened> {
  const { opened, spec } = await openRound(here)
  await here.standby.begin(here.ctx, spec, null)
  await fill(here, opened)
  const refs = opened.point.disks.map(({ disk, next }) => ({ disk: disk.key, ref: next }))
  await here.standby.publish(here.ctx, opened.point.id, opened.point.createdAt, refs)
  await here.source.commitPoint(opened.ctx, opened.point, keys(opened))
  return opened
}
const keys = ({ point }: Opened): DiskKey[] => point.disks.map(({ disk }) => disk.key)

async function contentOf(dir: string, key: string): Promise<Uint8Array> {
  const disk = (await readDescription(dir)).disks.find((one) => one.key === key)
  if (disk === undefined) throw new Error(`no disk ${key}`)
  const raw = join(dir, `${key}.compare`)
  await runProgram('qemu-img', ['convert', '-U', '-f', disk.format, '-O', 'raw', join(dir, disk.file), raw])
  const content = readFileSync(raw)
  rmSync(raw)
  return content
}
async function expectHolds({ dir }: World, { truth }: Opened): Promise<void> {
  for (const [key, wanted] of truth) expectSame(await contentOf(dir, key), wanted, `disk ${key}`)
}
const writeAt = ({ vm }: World, at: number, fillWith: number): Promise<void> =>
  vm.write(vm.disks.map(({ key }) => ({ kind: 'data', disk: key, at, length: 64 * KiB, value: fillWith })))

test('follows by increments of its own tracker, and a cut off state is never its head', async () => {
  await using here = await world()
  const { standby, ctx, vm, source } = here
  expect(await standby.inspect(ctx)).toBeNull()
  const backups = new Series(vm, source, 'backups')
  await writeAt(here, MiB, 7)
  await expectHolds(here, await cycle(here))
  await backups.round()
  await writeAt(here, 3 * MiB, 9)
  const second = await cycle(here)
  expect(second.point.disks.map(({ mode }) => mode)).toContain('incremental')
  await expectHolds(here, second)
  await writeAt(here, 2 * MiB, 11)
  const next = await backups.round()
  expect(next.point.disks.map(({ mode }) => mode)).toContain('incremental')

  const { opened, spec } = await openRound(here)
  await standby.begin(ctx, spec, null)
  await fill(here, opened)
  await source.abortPoint(opened.ctx, vm.ref, opened.point)
  await expectHolds(here, second)
  expect((await standby.inspect(ctx))?.head?.state).toBe(second.point.id)
  const third = await cycle(here)
  await expectHolds(here, third)
  const view = await standby.inspect(ctx)
  expect(view).toMatchObject({ role: 'follows', power: 'stopped', isTouched: false, head: { links: 3 } })
  // Nothing of the state that was cut off is left.
  expect(readdirSync(here.dir).filter((name) => name.includes(opened.point.id))).toEqual([])
})

test('a round of the other kind is not ended for ours, and says so', async () => {
  await using here = await world()
  const backups = new Series(here.vm, here.source, 'backups')
  const theirs = await backups.open()
  await expect(here.series.open()).rejects.toMatchObject({ code: 'Busy', data: { otherRound: true } })
  expect(await here.source.checkPoint(theirs.ctx, theirs.point)).toEqual({ status: 'intact' })
  const { findings } = await here.source.preflight(theirs.ctx, here.vm.ref, here.series.request(newPoint()))
  expect(findings.find(({ code }) => code === 'Busy')).toMatchObject({ severity: 'blocking' })
  await here.source.abortPoint(theirs.ctx, here.vm.ref, theirs.point)
  await cycle(here)
})

test('takes over in the last whole state, may be withdrawn, and follows again with what its guest wrote', async () => {
  await using here = await world()
  const { standby, ctx, other } = here
  await writeAt(here, MiB, 7)
  const first = await cycle(here)
  const takeover = newPoint()
  const vm = await standby.takeOver(ctx, takeover)
  expect(await standby.takeOver(ctx, takeover)).toEqual(vm)
  const driver = openQemu(other)
  const power = async (): Promise<string> => (await Array.fromAsync(driver.discover(ctx, [vm.id])))[0]?.power ?? 'gone'
  expect(await power()).toBe('running')
  expect((await readDescription(here.dir)).opKey).toBeNull()
  await expect(standby.takeOver(ctx, newPoint())).rejects.toMatchObject({ code: 'NotOurs' })
  await expect(standby.remove(ctx)).rejects.toMatchObject({ code: 'NotOurs' })
  const { opened, spec } = await openRound(here)
  await expect(standby.begin(ctx, spec, null)).rejects.toMatchObject({ code: 'NotOurs' })
  await here.source.abortPoint(opened.ctx, here.vm.ref, opened.point)

  await standby.withdraw(ctx, takeover)
  expect(await power()).toBe('stopped')
  await expectHolds(here, first)
  await cycle(here)

  await standby.takeOver(ctx, newPoint())
  await expect(standby.adopt(ctx, newPoint(), instant(0))).rejects.toMatchObject({ code: 'StillInUse' })
  await driver.power(ctx, vm, 'off', 20_000 as never)
  const state = newPoint()
  expect(await standby.adopt(ctx, state, instant(5_000))).toMatchObject({ role: 'follows', head: { state, links: 3 } })
  // Nobody knows what changed since on the source: the next is written from its beginning.
  const seeded = await cycle(here)
  expect(seeded.point.disks.map(({ mode }) => mode)).not.toContain('incremental')
  await expectHolds(here, seeded)
  expect((await standby.inspect(ctx))?.head?.links).toBe(1)
  expect(await standby.remove(ctx)).toEqual({ residue: [] })
  expect(readdirSync(other.address)).toEqual([])
})

test('a test runs on the head while cycles go on, and leaves nothing', async () => {
  await using here = await world()
  const { standby, ctx, other } = here
  await writeAt(here, MiB, 7)
  await cycle(here)
  const own = contextFor({ ...here.vm.ref, id: 'restore' }, newPoint())
  const target = await standby.test(own, ctx.opKey, 'copy-test', { kind: 'restricted', name: 'test' })
  expect((await standby.test(own, ctx.opKey, 'copy-test', { kind: 'restricted', name: 'test' })).vm).toEqual(target.vm)
  const before = readdirSync(here.dir)
  here.series.refs.clear()
  const seeded = await here.series.open({ full: 'full-interval' })
  const { portable } = await here.source.exportConfig(seeded.ctx, seeded.point)
  const disks = seeded.point.disks.map(({ disk }) => ({ key: disk.key, size: bytes(disk.size), base: null }))
  const vm = { ...portable, firmware: 'bios' as const }
  await standby.begin(
    ctx,
    { state: seeded.point.id, name: 'copy', vm, nativeConfigRef: null, networks: {}, disks },
    null,
  )
  await fill(here, seeded)
  await standby.publish(ctx, seeded.point.id, seeded.point.createdAt, [])
  await here.source.abortPoint(seeded.ctx, here.vm.ref, seeded.point)
  // The state below the test stays although the head is another one.
  for (const name of before.filter((one) => one.endsWith('.qcow2'))) expect(readdirSync(here.dir)).toContain(name)
  expect(await standby.endTest(own, ctx.opKey)).toEqual({ residue: [] })
  expect(readdirSync(other.address)).toEqual(['copy'])
  expect(readdirSync(here.dir).filter((name) => name.endsWith('.qcow2'))).toHaveLength(seeded.point.disks.length)
  await expectHolds(here, seeded)
})

test('what somebody has written to is no state any more', async () => {
  await using here = await world()
  const { standby, ctx } = here
  await cycle(here)
  const { file } = (await readDescription(here.dir)).disks[0] ?? { file: '' }
  utimesSync(join(here.dir, file), 1, 1)
  expect(await standby.inspect(ctx)).toMatchObject({ isTouched: true })
  await expect(standby.takeOver(ctx, newPoint())).rejects.toMatchObject({ code: 'ForeignState' })
  const { opened, spec } = await openRound(here)
  await expect(standby.begin(ctx, spec, null)).rejects.toMatchObject({ code: 'ChangeRefInvalid' })
  await here.source.abortPoint(opened.ctx, here.vm.ref, opened.point)
})

test('its maker may die after every effect: the next attempt comes to the same end', async () => {
  await using here = await world()
  const first = await cycle(here)
  await writeAt(here, 5 * MiB, 3)
  const { opened, spec } = await openRound(here)
  for (let k = 1; ; k++) {
    let n = 0
    const dying: Effects = {
      ...direct,
      run: async (_what, effect) => {
        const result = await effect()
        if (++n === k) throw Object.assign(new Error('died'), { name: 'ProcessDied' })
        return result
      },
    }
    const standby = standbyOf(openQemu(here.other, dying))
    try {
      await standby.begin(here.ctx, spec, null)
      if (k === 1) throw new Error('it had no effect')
      break
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ProcessDied') throw error
    }
    await expectHolds(here, first)
  }
  await fill(here, opened)
  const refs = opened.point.disks.map(({ disk, next }) => ({ disk: disk.key, ref: next }))
  const dead: Effects = {
    ...direct,
    run: async (what, effect) => {
      const result = await effect()
      if (what === 'file: standby record') throw Object.assign(new Error('died'), { name: 'ProcessDied' })
      return result
    },
  }
  const publish = (driver: HypervisorDriver) =>
    standbyOf(driver).publish(here.ctx, opened.point.id, opened.point.createdAt, refs)
  await expect(publish(openQemu(here.other, dead))).rejects.toThrow('died')
  await publish(openQemu(here.other))
  await here.source.commitPoint(opened.ctx, opened.point, keys(opened))
  await expectHolds(here, opened)
})
