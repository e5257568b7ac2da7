import { expect, test } from 'vitest'
import type { DrillVerification } from '#lib/api/types.ts'
import { documentHref, shortKey, verifiedLook } from './signed.ts'

const found: DrillVerification = { genuine: true, problems: [], signedMs: 1, key: 'a'.repeat(64), picture: 'same' }

test('says genuine only where nothing differs, and tells a picture that is gone', () => {
  expect(verifiedLook(found).word).toBe('Genuine')
  expect(verifiedLook({ ...found, picture: 'missing' })).toMatchObject({ tone: 'warn' })
  expect(verifiedLook({ ...found, genuine: false, picture: 'changed' })).toMatchObject({ tone: 'fail' })
})

test('names files and keys', () => {
  expect(documentHref('web-01.20261121t073352', 'json')).toBe(
    '/api/v1/drills/web-01.20261121t073352/document?format=json',
  )
  expect(shortKey(`12345678${'0'.repeat(48)}abcdefgh`)).toBe('12345678…abcdefgh')
})
