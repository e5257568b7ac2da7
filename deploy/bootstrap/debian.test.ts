import { expect, test } from 'vitest'

interface Plan {
  readonly path?: string
  readonly install?: string
  readonly advice?: string
}
// The bootstrap runs before there are any types.
const { browserPlan } = (await import(new URL('./browser.mjs', import.meta.url).href)) as {
  browserPlan: (machine: {
    env: { readonly [name: string]: string }
    exists: (path: string) => boolean
    policy: string
  }) => Plan
}
const { missingPackages } = (await import(new URL('./debian.mjs', import.meta.url).href)) as {
  missingPackages: (
    purpose: 'run' | 'test',
    exists: (path: string) => boolean,
    isVenvThere: () => boolean,
  ) => readonly { readonly name: string }[]
}

const bookworm = `chromium:
  Installed: (none)
  Candidate: 131.0.6778.139-1~deb12u1
  Version table:
     131.0.6778.139-1~deb12u1 500`
const policyOf = (candidate: string): string => bookworm.replace(/Candidate: .*/, `Candidate: ${candidate}`)
const plan = (policy: string, there: readonly string[] = [], env: { readonly [name: string]: string } = {}): Plan =>
  browserPlan({ env, exists: (path) => there.includes(path), policy })

test('a browser that is there is used, whichever of the known ones it is', () => {
  for (const path of ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']) {
    expect(plan('', [path])).toEqual({ path })
  }
})

test('a browser that somebody named is meant: it is used, or missed by name', () => {
  const env = { HOLDFAST_CHROMIUM: '/opt/chrome' }
  expect(plan(bookworm, ['/opt/chrome', '/usr/bin/chromium'], env)).toEqual({ path: '/opt/chrome' })
  expect(plan(bookworm, ['/usr/bin/chromium'], env).advice).toContain('/opt/chrome')
})

test('Debian’s package is installed', () => {
  expect(plan(bookworm)).toEqual({ install: 'chromium' })
})

test.each([
  ['no such package', ''],
  ['no candidate', policyOf('(none)')],
  ['a package that only leads to a snap', policyOf('2:1snap1-0ubuntu2')],
  ['an older one of the kind', policyOf('1:85.0.4183.83-0ubuntu2.22.04.1')],
])('%s: apt is not tried, and what to do is said', (_, policy) => {
  const { advice, ...rest } = plan(policy)
  expect(rest).toEqual({})
  expect(advice).toContain('HOLDFAST_CHROMIUM')
})

test('the demo needs neither browser nor the NBD tools of the tests', () => {
  const nothing = (): boolean => false
  const names = (purpose: 'run' | 'test'): string[] =>
    missingPackages(purpose, nothing, nothing).map(({ name }) => name)
  expect(names('run')).toEqual(
    expect.arrayContaining(['qemu-system-x86', 'qemu-utils', 'e2fsprogs', 'cpio', 'zstd', 'kmod']),
  )
  for (const name of ['nbdkit', 'libnbd-bin', 'chromium']) expect(names('run')).not.toContain(name)
  expect(names('test')).toEqual(expect.arrayContaining([...names('run'), 'nbdkit', 'libnbd-bin']))
  expect(missingPackages('test', () => true, nothing)).toEqual([])
  expect(names('run')).toContain('python3-venv')
  const withVenv = missingPackages('run', nothing, () => true).map(({ name }) => name)
  expect(withVenv).toEqual(names('run').filter((name) => name !== 'python3-venv'))
})
