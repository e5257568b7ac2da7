import { expect, it } from 'vitest'
import { csvOf } from './csv.ts'

it('quotes what would break a row, and leaves no formula to a spreadsheet', () => {
  const rows = [
    { name: 'a, "b"', n: 1 },
    { name: '=1+1', n: null },
    { name: 'two\nlines', n: -5 },
  ]
  expect(csvOf(rows, { name: (row) => row.name, n: (row) => row.n, none: () => undefined })).toBe(
    'name,n,none\r\n"a, ""b""",1,\r\n\'=1+1,,\r\n"two\nlines",-5,\r\n',
  )
  expect(csvOf([], { a: () => 1, b: () => 2 })).toBe('a,b\r\n')
})
