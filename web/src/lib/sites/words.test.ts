import { expect, it } from 'vitest'
import { sites } from '#lib/fixtures/sites.ts'
import {
  latencyWords,
  linesOf,
  mapCommand,
  mapLines,
  proxyOf,
  reachLook,
  setCommand,
  siteLook,
  sitesSentence,
} from './words.ts'

const [lyon, paris, spare] = sites

it('what a site is like is said in a word, and who is silent in a sentence', () => {
  expect(sites.map((site) => siteLook(site).word)).toEqual(['Works', 'No worker', 'Needs none'])
  expect(sitesSentence(sites)).toContain('No worker is connected for paris')
  expect(sitesSentence(lyon && spare ? [lyon, spare] : [])).toBe('Every site that needs a worker has one.')
  expect(sitesSentence(lyon ? [{ ...lyon, state: 'unknown' }] : [])).toContain('Temporal does not answer')
})

it('a test counts what was not reached', () => {
  expect(reachLook(null).word).toBe('Not tested')
  expect(reachLook(lyon?.test ?? null).word).toBe('1 not reached')
  expect(reachLook(paris?.test ?? null).word).toBe('No answer')
  const good = lyon?.test && { ...lyon.test, checks: lyon.test.checks.filter(({ error }) => error === null) }
  expect(reachLook(good ?? null).word).toBe('All reached')
  expect([latencyWords(null), latencyWords(3.2), latencyWords(1432)]).toEqual(['–', '3.2 ms', '1.4 s'])
})

it('the command says the same, whatever somebody writes', () => {
  expect(setCommand({ name: 'lyon', description: "Anne's hall; rm", handsSecrets: true })).toBe(
    `holdfast site set lyon --description 'Anne'\\''s hall; rm' --secrets server`,
  )
})

it('a proxy and names are written as people type them, and the command says them', () => {
  const proxy = proxyOf(' http://proxy:3128 ', 'minio.lan,  .internal')
  expect(proxy).toEqual({ url: 'http://proxy:3128', except: ['minio.lan', '.internal'] })
  expect(proxyOf('', 'minio.lan')).toBeNull()
  const set = (way: typeof proxy) => setCommand({ name: 'lyon', description: '', handsSecrets: false, proxy: way })
  expect(set(proxy)).toMatch(/ --secrets local --proxy http:\/\/proxy:3128 --proxy-except minio.lan .internal$/)
  expect(set(null)).toMatch(/ --no-proxy$/)
  const read = linesOf('prod = prod-dr\n\n lab=\n')
  expect(read).toEqual({
    lines: [
      { from: 'prod', to: 'prod-dr' },
      { from: 'lab', to: '' },
    ],
    problem: null,
  })
  expect(
    linesOf(
      mapLines([
        { from: 'prod', to: 'prod-dr' },
        { from: 'lab', to: null },
      ]),
    ),
  ).toEqual(read)
  expect(linesOf('prod').problem).toContain('no pair')
  expect(linesOf('a = b\na = c').problem).toContain('twice')
  const map = { to: 'paris', networks: [{ from: 'lab', to: null }], storages: [{ from: '*', to: 'raw' }] }
  expect(mapCommand('lyon', map)).toMatch(/^holdfast site map lyon paris --network \S*lab=\S* --storage \S*\*=raw\S*$/)
  expect(mapCommand('lyon', { to: 'paris', networks: [], storages: [] })).toBe('holdfast site map lyon paris --none')
})
