import { expect, it } from 'vitest'
import { isCurrent, places } from './places.ts'

const current = (path: string) => places.filter((p) => isCurrent(p, path)).map((p) => p.label)

it('exactly one place is current on every page that belongs to one', () => {
  expect(current('/')).toEqual(['Overview'])
  expect(current('/vms/web-01')).toEqual(['VMs'])
  expect(current('/points/0192')).toEqual(['VMs'])
  expect(current('/runs/abc')).toEqual(['Runs'])
  expect(current('/slots')).toEqual(['Runs'])
  expect(current('/categories/critical')).toEqual(['Plans'])
  expect(current('/plans/nightly')).toEqual(['Plans'])
  expect(current('/recovery/the-shop')).toEqual(['Recovery plans'])
  expect(current('/replication')).toEqual(['Replication'])
  expect(current('/restore')).toEqual(['Restore'])
  expect(current('/sites/lyon')).toEqual(['Sites'])
  expect(current('/notifications')).toEqual(['Notifications'])
  expect(current('/settings')).toEqual(['Settings and doctor'])
  expect(current('/nowhere')).toEqual([])
})
