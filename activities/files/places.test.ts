import { expect, test } from 'vitest'
import { mostSessions, Places } from './places.ts'

test('so many points are open at once on a machine, and the next waits until one is closed', () => {
  const places = new Places()
  const open = Array.from({ length: mostSessions }, () => places.enter())
  expect(() => places.enter()).toThrow('points are open on this machine')
  open[0]?.[Symbol.dispose]()
  using _again = places.enter()
  expect(() => places.enter()).toThrow('points are open on this machine')
})
