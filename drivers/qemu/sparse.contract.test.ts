import { expect, test } from 'vitest'
import { MiB, TiB } from '../../base/index.ts'
import { Series, contextFor, newPoint } from '../contract/series.ts'
import { openQemu } from './driver.ts'
import { BareVm } from './testing/bare.ts'

test('15 memory stays bounded on a sparse disk of 1 TiB, for a full and for an incremental', async () => {
  await using vm = await BareVm.make([{ key: 'virtio0', format: 'qcow2', size: TiB }])
  await vm.start()
  await using driver = openQemu(vm.endpoint)
  const series = new Series(vm, driver)
  await using monitor = await vm.monitor()
  for (let n = 0; n < 2; n++) {
    // Written around the writer's account, which would need a TiB of memory.
    for (let i = 0; i < 64; i++) {
      const line = `qemu-io -d /machine/peripheral/virtio0/virtio-backend "write -P 7 ${i * 16}G 64k"`
      await monitor.execute('human-monitor-command', { 'command-line': line })
    }
    const { point, ctx } = await openOnly(series)
    const [disk] = point.disks
    if (!disk) throw new Error('no disk')
    expect(disk.mode).toBe(n === 0 ? 'full' : 'incremental')
    const before = process.memoryUsage().rss
    let data = 0
    const changed = await driver.changedExtents(ctx, point, disk.disk.key, { start: 0 as never, end: disk.disk.size })
    if (changed.status !== 'ok') throw new Error(changed.why)
    for await (const extent of changed.extents) data += extent.kind === 'data' ? extent.length : 0
    expect(data).toBe(64 * 64 * 1024)
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MiB)
    if (disk.next) series.refs.set(disk.disk.key, disk.next)
    expect((await driver.commitPoint(ctx, point, [disk.disk.key])).residue).toEqual([])
  }
})

/** Without the copy of the content that `Series.open` makes. */
async function openOnly(series: Series): Promise<Pick<Awaited<ReturnType<Series['open']>>, 'point' | 'ctx'>> {
  const pointId = newPoint()
  const ctx = contextFor(series.vm.ref, pointId)
  return { ctx, point: await series.driver.openPoint(ctx, series.vm.ref, series.request(pointId)) }
}
