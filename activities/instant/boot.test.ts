import { expect, it } from 'vitest'
import { MiB } from '../../base/index.ts'
import { bootReads, Demand, readAhead, ReadOrder } from './boot.ts'

const none = new AbortController().signal

function orderOf(...reads: readonly (readonly [number, number])[]): ReadOrder {
  const order = new ReadOrder()
  for (const [first, last] of reads) order.note(first, last)
  return order
}

/** A disk whose blocks come when they are let go. */
class Held {
  readonly begun: number[] = []
  readonly #waiting: (() => void)[] = []

  async fetchAhead(block: number): Promise<void> {
    this.begun.push(block)
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  async letGo(): Promise<void> {
    for (const resolve of this.#waiting.splice(0)) resolve()
    await settled()
  }
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('keeps the order of the first reads, neighbours as one run, each block once', () => {
  const order = orderOf([0, 1], [700, 700], [2, 4], [1, 2], [5, 5], [699, 699])
  expect(order.runs).toEqual([
    [0, 2],
    [700, 1],
    [2, 4],
    [699, 1],
  ])
})

it('is bounded, for a disk and for all of them', () => {
  expect(orderOf([0, 5000]).runs).toEqual([[0, 1024]])
  const disks = [
    { key: 'a', order: orderOf([0, 999]) },
    { key: 'b', order: new ReadOrder() },
    { key: 'c', order: orderOf([8, 99]) },
  ]
  expect(bootReads(disks)).toEqual({
    bytes: 1024 * MiB,
    disks: [
      { key: 'a', runs: [[0, 1000]] },
      { key: 'c', runs: [[8, 24]] },
    ],
  })
})

it('reads ahead in that order, no more than it may, and leaves out disks that are not there', async () => {
  const disk = new Held()
  const boot = {
    bytes: 9 * MiB,
    disks: [
      { key: 'gone', runs: [[0, 3]] },
      {
        key: 'virtio0',
        runs: [
          [40, 2],
          [7, 4],
        ],
      },
    ],
  } as const
  const ended = readAhead(boot, new Map([['virtio0', disk]]), {
    ...{ limitBytes: 5 * MiB, demand: new Demand(), signal: none },
  })
  await settled()
  expect(disk.begun).toEqual([40, 41, 7, 8])
  await disk.letGo()
  expect(disk.begun).toEqual([40, 41, 7, 8, 9])
  await disk.letGo()
  await ended
})

it('begins nothing while a guest reads, goes on afterwards, and ends when the point is served no more', async () => {
  const disk = new Held()
  const demand = new Demand()
  const over = new AbortController()
  const read = Promise.withResolvers<void>()
  const reading = demand.during(() => read.promise)
  const ended = readAhead({ bytes: 9 * MiB, disks: [{ key: 'a', runs: [[0, 9]] }] }, new Map([['a', disk]]), {
    ...{ limitBytes: 64 * MiB, demand, signal: over.signal },
  })
  await settled()
  expect(disk.begun).toEqual([])
  read.resolve()
  await reading
  await settled()
  expect(disk.begun).toEqual([0, 1, 2, 3])
  over.abort()
  await disk.letGo()
  await ended
  expect(disk.begun).toEqual([0, 1, 2, 3])
})
