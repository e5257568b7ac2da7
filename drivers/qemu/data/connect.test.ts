import { expect, test } from 'vitest'
import { bytes } from '../../../base/index.ts'
import { contextFor, newPoint } from '../../contract/series.ts'
import { FakePeer } from '../../qmp/testing/fake-peer.ts'
import type { DiskPoint, PointInTime, VmRef } from '../../values.ts'
import { connectPoint } from './connect.ts'

const vm = { scope: 'scope', id: 'vm' } as VmRef
const disk = { disk: { key: 'virtio0', size: bytes(65_536) } } as unknown as DiskPoint

function at(socket: string): PointInTime {
  return { id: newPoint(), locator: { socket } } as unknown as PointInTime
}

test('a server that is silent is a matter of time: the point is not given up for it', async () => {
  await using silent = await FakePeer.listen(
    () => undefined,
    () => undefined,
  )
  const connecting = connectPoint(contextFor(vm, newPoint()), at(silent.path), disk, [], 1, 'point', 50)
  await expect(connecting).rejects.toMatchObject({ code: 'NetworkFailure', retry: 'transient' })
})

test('a server that hangs up has ended, and the point with it', async () => {
  await using gone = await FakePeer.listen(
    (socket) => socket.destroy(),
    () => undefined,
  )
  const connecting = connectPoint(contextFor(vm, newPoint()), at(gone.path), disk, [], 1)
  await expect(connecting).rejects.toMatchObject({ code: 'PointBroken' })
})
