import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  decodeBundle,
  drawPrivateKey,
  encodeBundle,
  evidencePage,
  sealEvidence,
  signingKey,
  verifyFile,
} from './index.ts'
import { sampleEvidence, testKey } from './testing.ts'
import type { DrillEvidence, EvidenceBundle } from './types.ts'

const picture = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from('not much of a picture')])
const screenshot = { sha256: createHash('sha256').update(picture).digest('hex') }
const trusted = [testKey.id]

function bundle(over: Partial<DrillEvidence> = {}): EvidenceBundle {
  const signed = sealEvidence({ ...sampleEvidence, screenshot, ...over }, testKey)
  return { ...signed, publicKey: testKey.publicKey, picture: over.screenshot === null ? null : picture }
}

test('what was exported verifies, as JSON and as a page, and says what was signed', () => {
  for (const text of [encodeBundle(bundle()), evidencePage(bundle())]) {
    expect(verifyFile(text, trusted)).toMatchObject({
      isGenuine: true,
      problems: [],
      picture: 'same',
      document: { verdict: 'passed', vm: { name: 'web-01' } },
    })
  }
  expect(verifyFile(encodeBundle(bundle({ screenshot: null })), trusted)).toMatchObject({ picture: 'none' })
})

test('the same drill is signed alike each time: a step that is repeated changes nothing', () => {
  expect(sealEvidence(sampleEvidence, testKey)).toEqual(sealEvidence(structuredClone(sampleEvidence), testKey))
})

test('every changed byte is told, in the data, in the picture, and in what the page shows', () => {
  const told = (text: string): boolean => {
    try {
      return !verifyFile(text, trusted).isGenuine
    } catch {
      return true
    }
  }
  const page = evidencePage(bundle())
  for (let at = 0; at < page.length; at += 37) {
    const other = page[at] === 'A' ? 'B' : 'A'
    expect(told(page.slice(0, at) + other + page.slice(at + 1)), `byte ${at}`).toBe(true)
  }
  const { payload, ...envelope } = JSON.parse(encodeBundle(bundle())) as { payload: string; screenshot: string }
  for (let at = 0; at < payload.length; at += 29) {
    const other = payload[at] === 'A' ? 'B' : 'A'
    const changed = payload.slice(0, at) + other + payload.slice(at + 1)
    expect(told(JSON.stringify({ ...envelope, payload: changed })), `byte ${at}`).toBe(true)
  }
  const stranger = Buffer.from('another picture').toString('base64')
  expect(verifyFile(JSON.stringify({ ...envelope, payload, screenshot: stranger }), trusted)).toMatchObject({
    isGenuine: false,
    picture: 'changed',
    problems: ['the picture is not the one that was signed'],
  })
})

test('a page that shows another verdict than the signed one is told', () => {
  const page = evidencePage(bundle({ verdict: 'failed', why: 'exit 1, expected 0' }))
  const lie = page.replace('Failed: this point has not proved itself', 'Passed: the point comes back')
  expect(lie).not.toBe(page)
  const { problems, document } = verifyFile(lie, trusted)
  expect(problems).toEqual(['the page shows something else than what was signed'])
  expect(document?.verdict).toBe('failed')
})

test('evidence of a stranger is told, also where it names our key', () => {
  const stranger = signingKey(drawPrivateKey(), 'a test')
  const forged = sealEvidence({ ...sampleEvidence, screenshot }, stranger)
  const theirs = { ...forged, publicKey: stranger.publicKey, picture }
  expect(verifyFile(encodeBundle(theirs), trusted).problems.join()).toContain('none of those that you trust')
  expect(verifyFile(encodeBundle({ ...theirs, keyId: testKey.id }), trusted).document).toBeNull()
  const ours = { ...theirs, keyId: testKey.id, publicKey: testKey.publicKey }
  expect(verifyFile(encodeBundle(ours), trusted).problems).toEqual([
    'the signature does not fit: what was signed has been changed',
  ])
})

test('what guests say stays text, and the page has nothing from anywhere else', () => {
  const page = evidencePage(bundle())
  expect(page).not.toContain('<script>alert')
  expect(page).toContain('&lt;/script&gt;&lt;script&gt;alert(1)')
  expect(page.match(/<script/g)).toHaveLength(1)
  expect(page).not.toMatch(/(?:src|href)="(?!data:)/)
})

test('the layout has its number: whoever changes how pages look raises it', () => {
  const page = evidencePage(bundle({ screenshot: null }))
  const layout = createHash('sha256').update(page).digest('hex')
  expect([page.includes('evidence page 1"'), layout]).toMatchInlineSnapshot(`
    [
      true,
      "337da02a5360ae17b9aa78d4466e5592dfd41f8d447ea16655d8b605d57a88cb",
    ]
  `)
  const later = page.replace('evidence page 1"', 'evidence page 2"')
  const report = verifyFile(later, trusted)
  expect(report.problems.join()).toContain('was not compared')
  expect(report.document?.verdict).toBe('passed')
})

test('a page of a drill out of the repository says so, and is of a layout that earlier versions know they do not make', () => {
  const page = evidencePage(bundle({ screenshot: null, bootedFrom: 'repository' }))
  expect(page).toContain('evidence page 2"')
  expect(page).toContain('what the guest did not read was not looked at')
  expect(verifyFile(page, trusted)).toMatchObject({ isGenuine: true })
})

test('other files are refused with a reason', () => {
  expect(() => verifyFile('hello', trusted)).toThrow('it is no JSON')
  expect(() => verifyFile('<html></html>', trusted)).toThrow('it is no JSON')
  expect(() => decodeBundle('{"payloadType":"x"}')).toThrow('its type is x')
})
