import { expect, it } from 'vitest'
import { sites } from '#lib/fixtures/sites.ts'
import { latencyWords, reachLook, setCommand, siteLook, sitesSentence } from './words.ts'

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
