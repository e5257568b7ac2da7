import { expect, it } from 'vitest'
import { upcomingHref } from './upcoming.ts'

it('leads to where it is changed or decided', () => {
  expect(upcomingHref({ kind: 'plan', subject: { kind: 'plan', id: 'nightly' } })).toBe('/plans/nightly')
  expect(upcomingHref({ kind: 'retention', subject: { kind: 'repository', id: 'main' } })).toBe(
    '/retention?repository=main',
  )
  expect(upcomingHref({ kind: 'verify', subject: { kind: 'repository', id: 'main' } })).toBe('/repositories/main')
  expect(upcomingHref({ kind: 'drill', subject: { kind: 'vm', id: 'db-01' } })).toBe('/vms/db-01')
  expect(upcomingHref({ kind: 'drill', subject: null })).toBe('/drills?view=next')
  expect(upcomingHref({ kind: 'rehearsal', subject: { kind: 'recovery-plan', id: 'shop' } })).toBe('/recovery/shop')
})
