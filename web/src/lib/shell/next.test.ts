import { expect, it } from 'vitest'
import { safeNext } from './next.ts'

it('signing in leads back to the page and never to another origin', () => {
  expect(safeNext('/runs/1?step=copy')).toBe('/runs/1?step=copy')
  for (const bad of [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    'javascript:alert(1)',
    '/sign-in?next=/',
    null,
  ]) {
    expect(safeNext(bad)).toBe('/')
  }
})
