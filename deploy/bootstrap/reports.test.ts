import { describe, expect, test } from 'vitest'
import { countsOf, failuresOf, replaceFailed, worthASecondRun, type Report } from './reports.ts'

/** A report in which the named files failed. */
function reportOf(...files: string[]): Report {
  return {
    testResults: ['sound.test.ts', ...files].map((name) => ({
      name: `/repo/${name}`,
      status: files.includes(name) ? 'failed' : 'passed',
      message: '',
      assertionResults: [
        { fullName: 'works', status: 'passed', failureMessages: [] },
        ...(files.includes(name) ? [{ fullName: 'breaks', status: 'failed', failureMessages: ['3 ≠ 4'] }] : []),
      ],
    })),
  }
}

describe('a second run', () => {
  test('is for the few files that failed beside real products', () => {
    const reports = new Map([
      ['contract', reportOf('a.contract.test.ts')],
      ['e2e', reportOf()],
      ['chaos', reportOf('tests/chaos/b.test.ts')],
    ])
    expect([...worthASecondRun(reports, '/repo')]).toEqual([
      ['contract', ['a.contract.test.ts']],
      ['chaos', ['tests/chaos/b.test.ts']],
    ])
  })

  test('is never asked for a failed unit test, nor beside one', () => {
    const reports = new Map([
      ['check', reportOf('a.test.ts')],
      ['chaos', reportOf('tests/chaos/b.test.ts')],
    ])
    expect(worthASecondRun(reports, '/repo').size).toBe(0)
  })

  test('is not asked for many failures', () => {
    expect(worthASecondRun(new Map([['contract', reportOf('a', 'b', 'c', 'd')]]), '/repo').size).toBe(0)
  })
})

test('each failure says where it happened and what failed', () => {
  expect(failuresOf('e2e', reportOf('x.test.ts'), '/repo')).toEqual(['e2e: x.test.ts: breaks\n  3 ≠ 4'])
})

test('counts after a second run are those of the second where the first had failed', () => {
  const first = reportOf('x.test.ts')
  expect(countsOf([first])).toEqual({ passed: 2, failed: 1, skipped: 0 })
  const passed = { fullName: 'breaks', status: 'passed', failureMessages: [] }
  const second = {
    testResults: [{ name: '/repo/x.test.ts', status: 'passed', message: '', assertionResults: [passed] }],
  }
  expect(countsOf([replaceFailed(first, second)])).toEqual({ passed: 2, failed: 0, skipped: 0 })
})
