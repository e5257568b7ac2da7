import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { iconNames } from './names.ts'

it('every icon name has its symbol in the sprite and no symbol is without a name', () => {
  const sprite = readFileSync(new URL('Sprite.svelte', import.meta.url), 'utf8')
  const drawn = [...sprite.matchAll(/<symbol id="i-([a-z]+)"/g)].map((m) => m[1])
  expect(drawn.toSorted()).toEqual([...iconNames].toSorted())
})
