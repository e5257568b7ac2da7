import { describe, expect, test } from 'vitest'
import { countsOf, failuresOf, replaceFailed, skippedOf, worthASecondRun, type Report } from './reports.ts'

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
      ['contract', reportOf('server/a.contract.test.ts')],
      ['e2e', reportOf()],
      ['chaos', reportOf('tests/chaos/b.test.ts')],
    ])
    expect([...worthASecondRun(reports, '/repo')]).toEqual([
      ['contract', ['server/a.contract.test.ts']],
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

  test.each([
    'drivers/qemu/fuzz.contract.test.ts',
    'repository/write/power-cut.contract.test.ts',
    'nbd/x.contract.test.ts',
  ])('is never asked for what fails on the path of the bytes: %s', (file) =>
    expect(worthASecondRun(new Map([['contract', reportOf(file)]]), '/repo').size).toBe(0),
  )

  test('is never asked for images that differ, whichever test compared them', () => {
    const told = reportOf('tests/chaos/b.test.ts')
    const because = (why: string) =>
      new Map([['chaos', JSON.parse(JSON.stringify(told).replace('3 ≠ 4', why)) as Report]])
    expect(worthASecondRun(because('expected { identical: false } to match { identical: true }'), '/repo').size).toBe(0)
    expect(worthASecondRun(because('waited 60 s for the run to end'), '/repo').size).toBe(1)
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

test('what was skipped is told by name, unless its name says why it can run nowhere', () => {
  const skipped = (fullName: string) => ({ fullName, status: 'skipped', failureMessages: [] })
  const assertionResults = [
    skipped('14 writes of the guest [cannot run here: images are no machine]'),
    skipped('a full repository says so'),
    { fullName: 'works', status: 'passed', failureMessages: [] },
  ]
  const report = { testResults: [{ name: '/repo/x.test.ts', status: 'passed', message: '', assertionResults }] }
  expect(skippedOf('chaos', report, '/repo')).toEqual(['chaos: x.test.ts: a full repository says so'])
})
