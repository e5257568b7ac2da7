import fc from 'fast-check'
import { expect, it } from 'vitest'
import { HoldfastError } from '../base/index.ts'
import { Budget } from './budget.ts'

const what = (): string => 'a read'

it('never lets more through than both limits allow, and lets all through in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 40 }), async (sizes) => {
      const budget = new Budget(3, 10)
      const order: number[] = []
      let requests = 0
      let bytes = 0
      await Promise.all(
        sizes.map(async (size, index) => {
          await budget.acquire(size, undefined, what)
          order.push(index)
          requests += 1
          bytes += size
          expect(requests).toBeLessThanOrEqual(3)
          expect(requests === 1 || bytes <= 10).toBe(true)
          await Promise.resolve()
          requests -= 1
          bytes -= size
          budget.release(size)
        }),
      )
      expect(order).toEqual(sizes.map((_, index) => index))
    }),
  )
})

it('lets a waiter go when its signal aborts, and does not block those behind it', async () => {
  const budget = new Budget(10, 10)
  await budget.acquire(6, undefined, what)
  const cancel = new AbortController()
  const large = budget.acquire(9, cancel.signal, what)
  const small = budget.acquire(4, undefined, what)
  cancel.abort(new Error('enough'))
  await expect(large).rejects.toMatchObject({ code: 'Cancelled', message: 'a read was cancelled' })
  await expect(small).resolves.toBeUndefined()
  await expect(budget.acquire(1, cancel.signal, what)).rejects.toMatchObject({ code: 'Cancelled' })
})

it('rejects all who wait when it is closed', async () => {
  const budget = new Budget(1, 10)
  await budget.acquire(1, undefined, what)
  const waiting = [budget.acquire(1, undefined, what), budget.acquire(1, undefined, what)]
  budget.refuse(new HoldfastError('NetworkFailure', 'gone'))
  for (const result of await Promise.allSettled(waiting)) expect(result.status).toBe('rejected')
})
