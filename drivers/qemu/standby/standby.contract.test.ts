import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { KiB, MiB, bytes, instant } from '../../../base/index.ts'
import { contextFor, expectSame, extentsOf, newPoint, Series, type Opened } from '../../contract/series.ts'
import type { HypervisorDriver, OpContext } from '../../driver.ts'
import type { StandbySpec, StandbyTarget } from '../../facets.ts'
import { pinFile } from '../../names.ts'
import { runProgram } from '../../transport/index.ts'
import type { DiskKey, Endpoint } from '../../values.ts'
import { readDescription, writeDescription } from '../description.ts'
import { openQemu } from '../driver.ts'
import { direct, type Effects } from '../effects.ts'
import { findRunning, stop } from '../launch.ts'
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

async function fill(
  { source, standby, ctx }: Pick<World, 'source' | 'standby' | 'ctx'>,
  { point, ctx: from }: Opened,
): Promise<void> {
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
/** A cycle that builds on nothing: the state before it is stale afterwards. */
async function seed({ series, source, standby, ctx, vm: { ref } }: World): Promise<Opened> {
  series.refs.clear()
  const opened = await series.open({ full: 'full-interval' })
  const { portable } = await source.exportConfig(opened.ctx, opened.point)
  const disks = opened.point.disks.map(({ disk }) => ({ key: disk.key, size: bytes(disk.size), base: null }))
  const vm = { ...portable, firmware: 'bios' as const }
  await standby.begin(
    ctx,
    { state: opened.point.id, name: 'copy', vm, nativeConfigRef: null, networks: {}, disks },
    null,
  )
  await fill({ source, standby, ctx }, opened)
  await standby.publish(ctx, opened.point.id, opened.point.createdAt, [])
  await source.abortPoint(opened.ctx, ref, opened.point)
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
/** A driver whose attempt sleeps before the first effect of this name, while something else happens. */
function sleeping({ other }: World, before: string, meanwhile: () => Promise<unknown>): StandbyTarget {
  let slept = false
  const effects: Effects = {
    ...direct,
    run: async (what, effect) => {
      if (what === before && !slept) {
        slept = true
        await meanwhile()
      }
      return await effect()
    },
  }
  return standbyOf(openQemu(other, effects))
}
/** A driver that dies right after the first effect of this name. */
function doomed({ other }: World, after: string): StandbyTarget {
  const effects: Effects = {
    ...direct,
    run: async (what, effect) => {
      const result = await effect()
      if (what === after) throw Object.assign(new Error('died'), { name: 'ProcessDied' })
      return result
    },
  }
  return standbyOf(openQemu(other, effects))
}
const runs = async ({ dir }: World): Promise<boolean> => (await findRunning(dir, await readDescription(dir))) !== null
const diskFiles = async ({ dir }: World): Promise<readonly string[]> =>
  (await readDescription(dir)).disks.map(({ file }) => file)

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
  const seeded = await seed(here)
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

test('a publication that slept through a takeover changes nothing, and takes no file from the guest', async () => {
  await using here = await world()
  const { standby, ctx } = here
  await cycle(here)
  for (const before of ['file: standby record', 'file: vm.json', 'file: remove volume']) {
    await writeAt(here, 4 * MiB, 5)
    // Something is stale, so that each of the effects happens.
    writeFileSync(join(here.dir, `${ctx.opKey}.r0.${newPoint()}.qcow2`), '')
    const { opened, spec } = await openRound(here)
    await standby.begin(ctx, spec, null)
    writeFileSync(join(here.dir, `${ctx.opKey}.r0.${newPoint()}.qcow2`), '')
    await fill(here, opened)
    const takeover = newPoint()
    const late = sleeping(here, before, () => standby.takeOver(ctx, takeover))
    const published = late.publish(ctx, opened.point.id, opened.point.createdAt, [])
    if (before === 'file: standby record') await expect(published).rejects.toMatchObject({ code: 'NotOurs' })
    else expect((await published).head.state).toBe(opened.point.id)
    await here.source.abortPoint(opened.ctx, here.vm.ref, opened.point)
    expect(await standby.inspect(ctx)).toMatchObject({ role: 'taken-over', power: 'running' })
    const files = await diskFiles(here)
    for (const file of files) {
      expect(file).toContain(takeover)
      expect(existsSync(join(here.dir, file))).toBe(true)
    }
    expect((await readDescription(here.dir)).opKey).toBeNull()
    await standby.withdraw(ctx, takeover)
    expect(readdirSync(here.dir).filter((name) => name.includes(takeover))).toEqual([])
    await expectHolds(here, await seed(here))
  }
})

test('a takeover that was withdrawn is refused, however late its attempt wakes, and nothing runs', async () => {
  await using here = await world()
  const { standby, ctx } = here
  await cycle(here)
  const unheard = newPoint()
  await standby.withdraw(ctx, unheard)
  await expect(standby.takeOver(ctx, unheard)).rejects.toMatchObject({ code: 'NotOurs' })
  for (const before of ['file: standby record', 'program: qemu-img create', 'file: vm.json', 'program: start qemu']) {
    const takeover = newPoint()
    const late = sleeping(here, before, () => standby.withdraw(ctx, takeover))
    await expect(late.takeOver(ctx, takeover)).rejects.toMatchObject({ code: 'NotOurs' })
    await expect(standby.takeOver(ctx, takeover)).rejects.toMatchObject({ code: 'NotOurs' })
    expect(await runs(here)).toBe(false)
    expect(await standby.inspect(ctx)).toMatchObject({ role: 'follows', power: 'stopped', isTouched: false })
  }
  // Nor does one that has come to its end begin anew.
  const ended = newPoint()
  await standby.takeOver(ctx, ended)
  await stop(here.dir, { how: 'quit' })
  await standby.adopt(ctx, newPoint(), instant(5_000))
  await expect(standby.takeOver(ctx, ended)).rejects.toMatchObject({ code: 'NotOurs' })
  await expectHolds(here, await seed(here))
  expect(readdirSync(here.dir).filter((name) => /\.t\d+\./.test(name))).toEqual([])
})

test('a withdrawal that was cut off is finished by the next cycle; a takeover that was cut off by its next attempt', async () => {
  await using here = await world()
  const { standby, ctx } = here
  await cycle(here)
  for (const after of ['file: standby record', 'program: end qemu', 'file: remove volume', 'file: vm.json']) {
    const takeover = newPoint()
    await standby.takeOver(ctx, takeover)
    await expect(doomed(here, after).withdraw(ctx, takeover)).rejects.toThrow('died')
    await expectHolds(here, await cycle(here))
    expect(await runs(here)).toBe(false)
  }
  const takeover = newPoint()
  for (const after of ['file: standby record', 'program: qemu-img create', 'file: vm.json', 'program: start qemu'])
    await expect(doomed(here, after).takeOver(ctx, takeover)).rejects.toThrow('died')
  await standby.takeOver(ctx, takeover)
  expect(await runs(here)).toBe(true)
})

test('what has taken over is neither removed nor tested, and one that is being removed is not started', async () => {
  await using here = await world()
  const { standby, ctx, other } = here
  await cycle(here)
  const takeover = newPoint()
  await expect(doomed(here, 'program: start qemu').takeOver(ctx, takeover)).rejects.toThrow('died')
  await expect(standby.remove(ctx)).rejects.toMatchObject({ code: 'NotOurs' })
  const own = contextFor({ ...here.vm.ref, id: 'restore' }, newPoint())
  const net = { kind: 'restricted', name: 'test' } as const
  await expect(standby.test(own, ctx.opKey, 'copy-test', net)).rejects.toMatchObject({ code: 'NotOurs' })
  expect(await runs(here)).toBe(true)
  await standby.withdraw(ctx, takeover)
  const late = newPoint()
  await expect(
    sleeping(here, 'file: standby record', () => standby.remove(ctx)).takeOver(ctx, late),
  ).rejects.toMatchObject({ code: 'NotFound' })
  expect(readdirSync(other.address)).toEqual([])
})

test('what was given away is no standby for an attempt that slept', async () => {
  await using here = await world()
  const { standby, ctx } = here
  await cycle(here)
  const { opened, spec } = await openRound(here)
  await standby.begin(ctx, spec, null)
  await fill(here, opened)
  const late = sleeping(here, 'file: standby record', async () => {
    await standby.takeOver(ctx, newPoint())
    await standby.release(ctx)
  })
  await expect(late.publish(ctx, opened.point.id, opened.point.createdAt, [])).rejects.toMatchObject({
    code: 'NotFound',
  })
  await here.source.abortPoint(opened.ctx, here.vm.ref, opened.point)
  expect(await standby.inspect(ctx)).toBeNull()
  for (const file of await diskFiles(here)) expect(existsSync(join(here.dir, file))).toBe(true)
  expect(await runs(here)).toBe(true)
  await standby.release(ctx)
  await expect(standby.remove(ctx)).rejects.toMatchObject({ code: 'NotOurs' })
})

test('a VM that has taken over keeps the disks that its owner gave it, and is seeded when it follows again', async () => {
  await using here = await world()
  const { standby, ctx } = here
  await cycle(here)
  await standby.takeOver(ctx, newPoint())
  await stop(here.dir, { how: 'quit' })
  const before = await readDescription(here.dir)
  const [first] = before.disks
  if (first === undefined) throw new Error('no disk')
  const file = 'own.qcow2'
  await runProgram('qemu-img', ['create', '-q', '-f', 'qcow2', join(here.dir, file), String(MiB)])
  for (const isMore of [false, true]) {
    const found = await readDescription(here.dir)
    const others = isMore
      ? [...found.disks, { ...first, key: 'own', serial: 'own', file }]
      : [{ ...first, file }, ...found.disks.slice(1)]
    await writeDescription(here.dir, { ...found, disks: others })
    const adopted = await standby.adopt(ctx, newPoint(), instant(5_000))
    expect(adopted).toMatchObject({ role: 'follows', head: null })
    expect(await standby.adopt(ctx, newPoint(), instant(5_000))).toMatchObject({ head: null })
    expect((await readDescription(here.dir)).opKey).toBe(ctx.opKey)
    await expect(standby.takeOver(ctx, newPoint())).rejects.toMatchObject({ code: 'NotFound' })
    await expectHolds(here, await cycle(here))
    expect(existsSync(join(here.dir, file))).toBe(true)
    await standby.takeOver(ctx, newPoint())
    await stop(here.dir, { how: 'quit' })
  }
  const own = { ...before, disks: [{ ...first, file }] }
  await writeDescription(here.dir, own)
  await standby.release(ctx)
  expect(await readDescription(here.dir)).toMatchObject({ opKey: null, disks: [{ file }] })
})

test('says of what was cut off that it is being withdrawn or removed, and starts it in its head', async () => {
  await using here = await world()
  const { standby, ctx } = here
  await cycle(here)
  const takeover = newPoint()
  await standby.takeOver(ctx, takeover)
  await expect(doomed(here, 'program: end qemu').withdraw(ctx, takeover)).rejects.toThrow('died')
  expect(await standby.inspect(ctx)).toMatchObject({ role: 'withdrawing', power: 'stopped', isTouched: false })
  const next = newPoint()
  await standby.takeOver(ctx, next)
  expect(await runs(here)).toBe(true)
  await standby.withdraw(ctx, next)
  await expect(doomed(here, 'file: standby record').remove(ctx)).rejects.toThrow('died')
  expect(await standby.inspect(ctx)).toMatchObject({ role: 'removing' })
  expect(await standby.remove(ctx)).toEqual({ residue: [] })
})

test('the pin of a test keeps its states before its VM is there, and not for ever', async () => {
  await using here = await world()
  const { standby, ctx } = here
  await cycle(here)
  const own = contextFor({ ...here.vm.ref, id: 'restore' }, newPoint())
  const late = sleeping(here, 'file: folder', () => seed(here))
  await late.test(own, ctx.opKey, 'copy-test', { kind: 'restricted', name: 'test' })
  expect(await standby.endTest(own, ctx.opKey)).toEqual({ residue: [] })
  const dead = join(here.dir, pinFile(ctx.opKey, contextFor({ ...here.vm.ref, id: 'dead' }, newPoint()).opKey))
  writeFileSync(dead, '')
  await seed(here)
  expect(existsSync(dead)).toBe(true)
  utimesSync(dead, 1, 1)
  const last = await seed(here)
  expect(existsSync(dead)).toBe(false)
  expect(readdirSync(here.dir).filter((name) => name.endsWith('.qcow2'))).toHaveLength(last.point.disks.length)
})
