import { readFileSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { argon2id } from './argon2.ts'
import { passphraseKeyInChild } from './child.ts'

const cost = { alg: 'argon2id' as const, m: 19_456, t: 1, p: 1, salt: 'a5'.repeat(16) }
const secret = 'geheim-\u00e4-"quoted"-\u0000-end'

test('the child derives what this process would', async () => {
  expect(await passphraseKeyInChild(secret, cost)).toEqual(argon2id(secret, cost))
})

test('the passphrase is in no argument and no environment of any process while the child runs', async () => {
  const slow = { ...cost, m: 65_536, t: 8 }
  const seen: string[] = []
  const deriving = passphraseKeyInChild('find-me-if-you-can', slow)
  let done = false
  void deriving.finally(() => (done = true))
  while (!done) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      for (const file of ['cmdline', 'environ']) {
        try {
          const text = readFileSync(`/proc/${pid}/${file}`, 'latin1')
          if (text.includes('argon2-child.ts')) seen.push(`${pid}/${file}`)
          expect(text).not.toContain('find-me-if-you-can')
        } catch (error) {
          // A process that ended meanwhile, or one of another user, shows nothing.
          if (!/ENOENT|EACCES|ESRCH/.test(String(error))) throw error
        }
      }
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  await deriving
  expect(seen.some((where) => where.endsWith('cmdline'))).toBe(true)
})

test('its memory does not count in this process', async () => {
  const before = process.memoryUsage().rss
  let peak = before
  const deriving = passphraseKeyInChild(secret, { ...cost, m: 262_144, t: 1, p: 4 })
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5)
  await deriving
  clearInterval(watch)
  expect(peak - before).toBeLessThan(64 * 2 ** 20)
})

test('costs out of bounds are refused with what to do, before memory is taken', async () => {
  await expect(passphraseKeyInChild(secret, { ...cost, m: 8 })).rejects.toMatchObject({ code: 'FormatError' })
  expect(() => argon2id(secret, { ...cost, m: 4 * 2 ** 20 })).toThrow('out of bounds')
  expect(() => argon2id(secret, { ...cost, t: 65 })).toThrow('out of bounds')
  expect(() => argon2id(secret, { ...cost, p: 17 })).toThrow('out of bounds')
})

test('a derivation can be cancelled', async () => {
  const cancel = new AbortController()
  const deriving = passphraseKeyInChild(secret, { ...cost, m: 1_048_576, t: 64 }, cancel.signal)
  setImmediate(() => {
    cancel.abort()
  })
  await expect(deriving).rejects.toThrow()
})
