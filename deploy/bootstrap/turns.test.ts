import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './tasks.ts'
import { outOfTurn, turns } from './turns.ts'

test('every suite of a turn is there, and has one turn', () => {
  const all = turns.flat()
  expect(all.filter((file) => !existsSync(join(root, file)))).toEqual([])
  expect(new Set(all).size).toBe(all.length)
})

test('each suite is run in its own turn and in no other; without a turn all are', () => {
  const ran = turns.map((_, at) => turns.flat().filter((file) => !outOfTurn(`${at + 1}`).includes(file)))
  expect(ran).toEqual(turns)
  expect(outOfTurn(undefined)).toEqual([])
})

test.each(['0', '13', 'x', ''])('a turn “%s” that does not exist is a mistake, not an empty run', (turn) => {
  expect(() => outOfTurn(turn)).toThrow('none of 1 to 12')
})
