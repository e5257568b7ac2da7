import { expect, test } from 'vitest'
import type { DrillCheck } from '#lib/api/index.ts'
import { asks, checkOf, complaint, draftOf, newCheck, rightIf, toLine, toWords } from './checks.ts'

const times = { timeoutMs: 60_000, withinMs: 30_000 }
const checks: readonly DrillCheck[] = [
  {
    ...{ kind: 'command', title: 'orders', path: '/bin/sh', args: ['-c', `echo "it's 7"`, ''], expectExit: 0 },
    ...{ pattern: '^7', count: { expected: 'previous', tolerance: 0.005 }, prepares: false, ...times },
  },
  {
    ...{ kind: 'command', title: 'rows', path: '/bin/count', args: [], expectExit: 3, pattern: null },
    ...{ count: { expected: 1000, tolerance: 0 }, prepares: true, ...times },
  },
  { kind: 'port', title: 'database', port: 5432, ...times },
  { kind: 'http', title: 'page', url: 'http://127.0.0.1:8080/health', pattern: 'ok', ...times },
]

test('a check that is opened and saved is the same', () => {
  for (const check of checks) expect([complaint(draftOf(check)), checkOf(draftOf(check))]).toEqual([null, check])
})

test('any words make a line that reads as these words', () => {
  for (const words of [['a'], ['/bin/sh', '-c', `a 'b' "c"`], ['', ' ', "'"], ['a\nb', '\t']])
    expect(toWords(toLine(words))).toEqual(words)
  expect(toWords(`one  "two three" fo'u r'`)).toEqual(['one', 'two three', 'fou r'])
  expect(toWords(`one 'two`)).toBeNull()
})

test('what is missing is named', () => {
  expect(complaint(newCheck)).toContain('name')
  const named = { ...newCheck, title: 'x' }
  for (const wrong of [
    named,
    { ...named, line: `'` },
    { ...named, kind: 'port', port: '70000' },
    { ...named, kind: 'http', url: 'ftp://x' },
    { ...named, line: '/x', compares: 'number' },
    { ...named, line: '/x', withinSeconds: '-1' },
    { ...named, line: '/x', exit: 'no' },
  ] as const)
    expect(complaint(wrong)).toMatch(/^“x”/)
  expect(complaint({ ...named, line: '/x' })).toBeNull()
})

test('a check in words', () => {
  expect(checks.map((check) => `${asks(check)}: ${rightIf(check)}`)).toEqual([
    `/bin/sh -c 'echo "it'"'"'s 7"' '': exit 0, a line matches ^7, counts as in the last drill ± 0.5 %, within 30 s`,
    '/bin/count: exit 3, counts 1000 ± 0 %, within 30 s',
    'port 5432: somebody listens, within 30 s',
    'http://127.0.0.1:8080/health: the page comes, a line matches ok, within 30 s',
  ])
})
