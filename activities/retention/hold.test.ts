import { beforeEach, expect, it } from 'vitest'
import { HoldfastError } from '../../base/index.ts'
import type { HoldEntry, HoldRequest } from '../../repository/index.ts'
import { sampleRepository } from '../testing/samples.ts'
import { holdPoints } from './hold.ts'

const { signal } = new AbortController()
const stemOf = (n: number): string => `snap/${'1'.repeat(32)}/${'0'.repeat(16)}-${String(n).repeat(32)}`
const of = (...points: number[]) => ({
  ...{ repository: sampleRepository, stems: points.map(stemOf), type: 'pin' as const },
  ...{ actor: 'recovery:r1', reason: 'recovery plan The shop' },
})

let holds: HoldEntry[]
let fails: (request: HoldRequest) => HoldfastError | null
const repository = {
  listHolds: async () => [...holds],
  hold: async (request: HoldRequest) => {
    const error = fails(request)
    if (error !== null) throw error
    const { stem, type, actor, reason } = request
    const name = `hold/${holds.length}`
    holds.push({ name, snap: stem.slice(-32), type, actor, reason, ms: 1 })
    return name
  },
}
const place = (...points: number[]) => holdPoints(repository, of(...points), signal, () => undefined)

beforeEach(() => {
  holds = [{ name: 'hold/ann', snap: '1'.repeat(32), type: 'pin', actor: 'ann', reason: '', ms: 1 }]
  fails = () => null
})

it('each point is held once, also by an attempt that comes after one whose answer was lost', async () => {
  fails = ({ stem }) => (stem === stemOf(2) ? new HoldfastError('StoreUnavailable', 'away') : null)
  await expect(place(1, 2)).rejects.toThrow('away')
  fails = () => null
  const { held, refused } = await place(1, 2)
  expect(held).toEqual([
    { stem: stemOf(1), hold: 'hold/1' },
    { stem: stemOf(2), hold: 'hold/2' },
  ])
  expect(refused).toEqual([])
  expect(holds.map(({ actor }) => actor)).toEqual(['ann', 'recovery:r1', 'recovery:r1'])
})

it('a point that is going keeps none of the others from being held, nor does access that is read-only end anything', async () => {
  fails = ({ stem }) => (stem === stemOf(1) ? new HoldfastError('HoldRefused', 'it has a tombstone') : null)
  expect(await place(1, 2)).toEqual({
    held: [{ stem: stemOf(2), hold: 'hold/1' }],
    refused: [{ stem: stemOf(1), why: 'it has a tombstone' }],
  })
  fails = () => new HoldfastError('StoreDenied', 'read-only')
  expect(await place(3)).toMatchObject({ held: [], refused: [{ why: 'read-only' }] })
})
