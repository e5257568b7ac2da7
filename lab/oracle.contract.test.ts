import { connect } from 'node:net'
import { join } from 'node:path'
import { copyFile, open } from 'node:fs/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { MiB } from '../base/index.ts'
import { diskNodes } from '../drivers/qemu/command-line.ts'
import { runProgram } from '../drivers/transport/index.ts'
import {
  compareImages,
  endTemporaryLab,
  Oracle,
  runWorkload,
  startWorkload,
  stopWorkload,
  temporaryLab,
  type Lab,
  type LabVm,
} from './index.ts'

const keys = ['virtio0', 'virtio1'] as const
const disks = keys.map((key) => ({ key, node: diskNodes(key).format }))
const pointId = '0123456789abcdef0123456789abcdef'

describe('the oracle', () => {
  let lab: Lab
  let vm: LabVm
  let oracle: Oracle
  beforeAll(async () => {
    lab = await temporaryLab({ vms: [{ name: 'one', qcow2: 256 * MiB, raw: 128 * MiB }] })
    vm = lab.vms[0] as LabVm
  })
  beforeEach(async () => {
    await oracle?.[Symbol.asyncDispose]()
    oracle = await Oracle.start({ folder: join(lab.place.home, 'oracle'), vms: async () => lab.vms.map((v) => v.dir) })
  })
  afterAll(async () => {
    await oracle[Symbol.asyncDispose]()
    await endTemporaryLab(lab)
  })

  test('holds the instant at which the VM was stopped, whatever the guest writes while the copies run', async () => {
    await startWorkload(vm, { rate: 0 })
    // Beside it one that never pauses, on the unformatted end of the second disk: a moment too late shows.
    await vm.shell(
      '(while :; do dd if=/dev/urandom of=/dev/vdb bs=4096 seek=28928 count=2048 oflag=direct; done) >/dev/null 2>&1 </dev/null &',
    )
    {
      await using monitor = await vm.monitor()
      // `stop` flushes every disk, so the files show what the guest had written.
      await monitor.execute('stop')
      for (const disk of vm.description.disks) {
        const from = join(vm.dir, disk.file)
        await runProgram('qemu-img', [
          'convert',
          '-U',
          '-f',
          disk.format,
          '-O',
          'qcow2',
          from,
          join(lab.folder, `${disk.key}.stop`),
        ])
      }
    }
    await oracle.captureNow(vm, pointId, disks) // its own stop finds the VM stopped; then the guest goes on
    await runUntilMore(vm)
    for (const key of keys) {
      const stopped = { file: join(lab.folder, `${key}.stop`), format: 'qcow2' } as const
      expect(await oracle.compare(pointId, key, stopped)).toMatchObject({ identical: true })
    }
    // The negative control: by now the disks themselves have moved on.
    await vm.stop('quit')
    for (const disk of vm.description.disks) {
      const now = { file: join(vm.dir, disk.file), format: disk.format }
      expect(await oracle.compare(pointId, disk.key, now)).toMatchObject({ identical: false, reason: 'content' })
    }
    await vm.start('parent')
    await vm.ready()
  })

  test('answers the hook of the driver with ok, and leaves neither job nor node behind', async () => {
    const answer = await callHook(oracle.socket, { vm: vm.description.uuid, pointId, disks })
    expect(answer).toBe('ok\n')
    await oracle.image(pointId, 'virtio0')
    await using monitor = await vm.monitor()
    expect(await monitor.execute('query-jobs')).toEqual([])
    const nodes = await monitor.execute<{ 'node-name': string }[]>('query-named-block-nodes', { flat: true })
    expect(nodes.map((n) => n['node-name']).filter((n) => n.startsWith('oracle-'))).toEqual([])
  })

  test('tells the driver what is wrong instead of saying ok', async () => {
    expect(await callHook(oracle.socket, { vm: 'nobody', pointId, disks })).toMatch(/^error .*knows no VM nobody/)
    expect(await callHook(oracle.socket, { vm: 'one', pointId, disks: [{ key: 'virtio0', node: 'x' }] })).toMatch(
      /^error .*no block node x/,
    )
    await expect(oracle.image(pointId, 'virtio0')).rejects.toMatchObject({ code: 'PointBroken' })
    await expect(oracle.image('unasked', 'virtio0')).rejects.toMatchObject({ code: 'NotFound' })
  })

  test('forgets a round that was undone and copies the next one of the same point', async () => {
    await oracle.captureNow(vm, pointId, disks)
    await oracle.captureNow(vm, pointId, disks)
    await oracle.image(pointId, 'virtio1')
    expect(oracle.points()).toEqual([pointId])
  })

  test('names the first byte range that differs, and a difference in size', async () => {
    await oracle.captureNow(vm, pointId, disks)
    const image = await oracle.image(pointId, 'virtio1')
    const copy = join(lab.folder, 'copy.raw')
    await copyFile(image, copy)
    expect(await oracle.compare(pointId, 'virtio1', { file: copy, format: 'raw' })).toEqual({
      identical: true,
      size: 128 * MiB,
    })
    const handle = await open(copy, 'r+')
    await handle.write(Buffer.from([0x5a]), 0, 1, 100 * MiB + 777)
    await handle.close()
    expect(await compareImages({ file: image, format: 'raw' }, { file: copy, format: 'raw' })).toEqual({
      identical: false,
      reason: 'content',
      offset: 100 * MiB + 512,
    })
    await runProgram('truncate', ['-s', '+1M', copy])
    expect(await oracle.compare(pointId, 'virtio1', { file: copy, format: 'raw' })).toMatchObject({
      identical: false,
      reason: 'size',
    })
  })

  test('says that the copy is worthless if QEMU is killed before it is complete', async () => {
    {
      await using monitor = await vm.monitor()
      await monitor.execute('stop')
    }
    await oracle.capture({ vm: 'one', pointId, disks })
    await vm.stop('kill')
    const outcome = await oracle.image(pointId, 'virtio0').then(
      () => 'complete',
      (error: { code: string }) => error.code,
    )
    // The copies of small disks may have been complete at the kill; a broken one must say so.
    expect(['PointBroken', 'complete']).toContain(outcome)
    await vm.start('parent')
    await vm.ready()
  })
})

async function runUntilMore(vm: LabVm): Promise<void> {
  await stopWorkload(vm)
  await runWorkload(vm, 3, 7)
}

function callHook(socket: string, call: object): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const connection = connect(socket, () => connection.write(`${JSON.stringify(call)}\n`))
    connection.on('data', (chunk) => (text += chunk.toString()))
    connection.once('error', reject)
    connection.once('close', () => resolve(text))
  })
}
