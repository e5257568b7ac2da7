import { expect, test } from 'vitest'
import { GiB, parseBytes, TiB } from './index.ts'

test('sizes are read as people write them, in binary units, and nothing else is', () => {
  expect(['500GiB', '500 GiB', '500g', '1.5T', '4096', '7B'].map(parseBytes)).toEqual([
    500 * GiB,
    500 * GiB,
    500 * GiB,
    1.5 * TiB,
    4096,
    7,
  ])
  expect(['', 'GiB', '-1G', '1 GB', '1e3', '9999999P'].map(parseBytes)).toEqual(new Array(6).fill(undefined))
})
