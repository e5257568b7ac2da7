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

test('a site has a proxy and names at other sites until somebody says otherwise', async () => {
  await holdfast('site', 'set', 'paris')
  await holdfast('site', 'set', 'lyon', '--proxy', 'http://proxy:3128', '--proxy-except', 'minio.lan', '.internal')
  const made = await holdfast('site', 'map', 'lyon', 'paris', '--network', 'prod=prod-dr', 'lab=', '--storage', '*=raw')
  expect(made.out).toMatch(/network +prod +prod-dr\n *network +lab +\(not connected\)\n *storage +\(any other\) +raw/)
  const { out } = await holdfast('site', 'show', 'lyon')
  expect(out).toMatch(/proxy +http:\/\/proxy:3128, not for minio.lan, .internal/)
  expect(out).toMatch(/at paris +network prod → prod-dr/)
  await holdfast('site', 'set', 'lyon', '--no-proxy')
  expect((await holdfast('site', 'show', 'lyon')).out).toMatch(/proxy +as its workers/)
  expect((await holdfast('site', 'map', 'lyon', 'paris', '--none')).out).toContain('stay as they are')
  for (const wrong of [
    ['site', 'map', 'lyon', 'paris', '--network', 'prod'],
    ['site', 'map', 'lyon', 'lyon', '--network', 'a=b'],
    ['site', 'set', 'lyon', '--proxy', 'socks5://proxy:1080'],
    ['site', 'set', 'lyon', '--proxy-except', 'minio.lan'],
  ])
    expect((await holdfast(...wrong)).code, wrong.join(' ')).toBe(2)
})
