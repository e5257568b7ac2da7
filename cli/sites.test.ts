import { afterEach, beforeEach, expect, test } from 'vitest'
import { bench, type Bench } from '../api/testing/bench.ts'
import { ran } from './testing.ts'

let here: Bench
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

const holdfast = (...argv: readonly string[]) => ran(here, argv)

test('sites are listed, made, shown and removed', async () => {
  expect(await holdfast('site', 'set', 'lyon', '--description', 'second hall', '--secrets', 'server')).toMatchObject({
    code: 0,
  })
  const list = await holdfast('sites')
  expect(list.out).toMatch(/local +works +1 +1 +1 +0 +never/)
  expect(list.out).toMatch(/lyon +needs none +0 +0 +0 +0 +never +second hall/)
  const shown = await holdfast('site', 'show', 'local')
  expect(shown.out).toMatch(/worker +worker-1, seen/)
  expect(shown.out).toMatch(/repository +main, 0 points, \/srv\/repository/)
  expect((await holdfast('site', 'show', 'lyon')).out).toContain('else from the server')
  const used = await holdfast('site', 'rm', 'local')
  expect(used.code).not.toBe(0)
  expect(used.err).toContain('1 hypervisor and 1 repository are of site local')
  expect((await holdfast('site', 'rm', 'lyon')).code).toBe(0)
  expect((await holdfast('site', 'show', 'lyon')).code).toBe(4)
})

test('a test says how long each took, and what to do about what failed', async () => {
  const error = { code: 'StoreUnavailable', message: 'no answer', hint: 'Check it.', docs: 'd' }
  const base = { kind: 'repository', place: '/srv/r', detail: '' }
  here.engine.answers.set('testSite', () => ({
    v: 1,
    worker: 'mover-1',
    checks: [
      { ...base, id: 'a', name: 'a', latencyMs: 3.2, detail: 'its secret opens it', error: null },
      { ...base, id: 'b', name: 'b', latencyMs: null, error },
    ],
    error: null,
  }))
  const { code, out } = await holdfast('site', 'test', 'local')
  expect(code).toBe(1)
  expect(out).toMatch(/mover-1 +repository a +3.2 ms +its secret opens it +\/srv\/r/)
  expect(out).toMatch(/repository b +– +FAILED: no answer/)
  expect(out).toContain('  Check it.')
})

test('a token is on stdout alone, once, and is revoked by its id', async () => {
  const made = await holdfast('site', 'token', 'local', '--days', '30')
  expect(made.out).toMatch(/^holdfast_[\w-]{43}\n$/)
  const [, id = ''] = /^(local-[0-9a-f]{8}), until 2026-12-21/.exec(made.err) ?? []
  const shown = await holdfast('site', 'show', 'local')
  expect(shown.out).toContain(id)
  expect(shown.out).not.toContain(made.out.trim())
  expect((await holdfast('site', 'token', 'local', '--revoke', id)).code).toBe(0)
  expect((await holdfast('site', 'token', 'local', '--revoke', id)).code).toBe(4)
})
