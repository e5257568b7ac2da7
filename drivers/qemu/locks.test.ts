import { describe, expect, test } from 'vitest'
import { KeyedLocks } from './locks.ts'

describe('keyed locks', () => {
  test('who gives up while waiting is let go at once, and lets nobody past those ahead', async () => {
    const locks = new KeyedLocks()
    const seen: string[] = []
    const { promise: blocked, resolve: unblock } = Promise.withResolvers<void>()
    const first = locks.hold('monitor', async () => {
      await blocked
      seen.push('first')
    })
    const controller = new AbortController()
    const second = locks.hold(
      'monitor',
      () => {
        seen.push('second')
        return Promise.resolve()
      },
      controller.signal,
    )
    controller.abort(new Error('no longer wanted'))
    await expect(second).rejects.toThrow('no longer wanted')
    const third = locks.hold('monitor', () => {
      seen.push('third')
      return Promise.resolve()
    })
    unblock()
    await Promise.all([first, third])
    expect(seen).toEqual(['first', 'third'])
  })

  test('work that fails lets the next one go on', async () => {
    const locks = new KeyedLocks()
    const failing = locks.hold('agent', () => Promise.reject(new Error('failed')))
    const next = locks.hold('agent', () => Promise.resolve('done'))
    await expect(failing).rejects.toThrow('failed')
    expect(await next).toBe('done')
  })
})
