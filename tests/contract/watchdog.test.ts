import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { aPoint, furnish, testCatalog, type TestCatalog } from '../../catalog/testing.ts'
import { openRepository } from '../../repository/index.ts'
import { steadyClock, Watchdog } from '../../server/watchdog/index.ts'

/** A real repository in a directory, changed behind the back of everybody; no engine, schedule or worker. */

const golden = new URL('../../repository/golden/r1-v1/', import.meta.url).pathname
const text = /^recovery key: (.*)$/m.exec(readFileSync(join(golden, 'secrets.txt'), 'utf8'))?.[1] ?? ''
const { signal } = new AbortController()

let folder: string
let place: string
let here: TestCatalog
let dog: Watchdog
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-watchdog-'))
  place = join(folder, 'repository')
  cpSync(join(golden, 'repository'), place, { recursive: true })
  here = testCatalog()
  furnish(here.catalog, ['web-01'])
  here.catalog.repositories.move('main', { location: { kind: 'posix', path: place } })
  dog = new Watchdog({
    catalog: here.catalog,
    clock: steadyClock(null),
    openRepository: (options) => openRepository({ ...options, secret: { kind: 'recovery', text } }),
    secret: async () => '',
    cacheDir: join(folder, 'cache'),
    now: () => here.clock.ms,
    log: { warn: () => undefined, error: () => undefined },
  })
  const options = { location: { kind: 'posix', path: place }, secret: { kind: 'recovery', text } } as const
  await using repository = await openRepository({ ...options, cacheDir: join(folder, 'cache') })
  let n = 0
  for await (const { snap, stem, state, validatedMs } of repository.listPoints()) {
    if (state !== 'recovery-point' || validatedMs === null) continue
    n += 1
    here.catalog.points.record(aPoint(n, { id: snap, stem, validatedMs }))
  }
  expect(n).toBeGreaterThan(0)
})
afterEach(async () => {
  await dog[Symbol.asyncDispose]()
  here[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

const standing = (): number => here.catalog.points.list({ limit: 200 }).items.filter((it) => it.goneMs === null).length
const posture = (): string => here.catalog.vms.get('web-01').posture.state

test('points that were deleted in the directory make the VM unprotected, and count again when they are back', async () => {
  const all = here.catalog.points.countAll()
  await dog.look(signal)
  expect([posture(), standing()]).toEqual(['protected', all])
  renameSync(join(place, 'snap'), join(folder, 'snap'))
  await dog.look(signal)
  expect(posture()).toBe('unprotected')
  expect(here.catalog.watches.find('main')).toMatchObject({ vanished: all, error: null })
  renameSync(join(folder, 'snap'), join(place, 'snap'))
  await dog.look(signal)
  expect([posture(), standing()]).toEqual(['protected', all])
  expect(here.catalog.watches.find('main')).toMatchObject({ vanished: 0 })
})

test('a directory that is gone, as a share that is not mounted, takes no point away', async () => {
  await dog.look(signal)
  renameSync(place, join(folder, 'away'))
  await dog.look(signal)
  expect(posture()).toBe('protected')
  expect(here.catalog.watches.find('main')?.error?.code).toBe('RepositoryMissing')
  renameSync(join(folder, 'away'), place)
  await dog.look(signal)
  expect(here.catalog.watches.find('main')).toMatchObject({ error: null, vanished: 0 })
})
