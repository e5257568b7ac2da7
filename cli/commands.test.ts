import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bench, type Bench } from '../api/testing/bench.ts'
import { restoreParts, consequences, type RestoreWish } from '../api/requests/restore.ts'
import { aPoint, pointIdOf } from '../catalog/testing.ts'
import { toRunbook, type PendingStep, type RunFacts, type RunHistory, type Runbook } from '../runbook/index.ts'
import { programFor } from './program.ts'
import { ran, worldOf } from './testing.ts'

/** Commands that Holdfast prints are pasted at 3 a.m.: every one of them is read by a shell and by the real program. */

const root = new URL('../', import.meta.url)
const corpus = readdirSync(new URL('tests/histories/', root))
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.replace(/\.json$/, ''))

interface Case {
  readonly history: RunHistory
  readonly pending: readonly PendingStep[]
  readonly nowMs: number
}
function bookOf(
  name: string,
  over: Partial<RunFacts> = {},
  change: (text: string) => string = (text) => text,
): Runbook {
  const text = readFileSync(new URL(`tests/histories/${name}.json`, root), 'utf8')
  const { history, pending, nowMs } = JSON.parse(change(text)) as Case
  return toRunbook(history, pending, {
    vmName: 'erp-db-01',
    repositoryName: 'main',
    platform: 'qemu',
    driverEvidence: 'verified',
    pollers: {},
    nowMs,
    ...over,
  })
}

function commandsOf(book: Runbook): string[] {
  const steps = book.phases.flatMap((phase) => phase.steps)
  return [...book.actions, ...steps.flatMap((step) => step.actions)].flatMap(({ command }) => command ?? [])
}

/** The words of a line as a shell hands them to the program that `name` stands for. */
function wordsOf(line: string, name: string): string[] {
  const { stdout, status } = spawnSync('/bin/sh', ['-c', `${name}() { printf '%s\\0' "$@"; }\n${line}`], {
    encoding: 'utf8',
    env: { HOME: '/root', PATH: '/nowhere', HOLDFAST_HOME: '/srv/holdfast' },
  })
  if (status !== 0) throw new Error(`a shell does not read: ${line}`)
  return stdout.split('\0').slice(0, -1)
}

let here: Bench
beforeEach(() => void (here = bench({ vms: ['web-01', 'db-01'] })))
afterEach(() => here[Symbol.dispose]())

/** Parses without acting; what commander says of a line that it does not understand, or nothing. */
async function complaintAbout(argv: readonly string[]): Promise<string> {
  const program = await programFor(argv, worldOf(here, { out: '', err: '' }), '0.1.0')
  const understood = new Error('understood')
  program.hook('preAction', () => {
    throw understood
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    return error === understood ? '' : String(error)
  }
  return 'it did nothing'
}

test.each(corpus)('the program understands every command in the runbook of %s', async (name) => {
  const deaf = {
    'holdfast.site.nowhere': { count: 0, lastSeenMs: null },
    'holdfast.control': { count: 0, lastSeenMs: null },
  }
  for (const command of [...commandsOf(bookOf(name)), ...commandsOf(bookOf(name, { pollers: deaf }))]) {
    const words = wordsOf(command, 'holdfast')
    expect(await complaintAbout(words), command).toBe('')
  }
})

describe('what a completed backup offers next', () => {
  const offered = (): Runbook['actions'] =>
    bookOf('backup-completed', {}, (text) =>
      text.replaceAll(/"data": "([^"]*)"/g, (_, data: string) => {
        const plain = Buffer.from(data, 'base64').toString('utf8')
        const said = plain
          .replaceAll('"id":"erp-db-01"', '"id":"web-01"')
          .replaceAll(/"pointId":"[0-9a-f]{32}"/g, `"pointId":"${pointIdOf(1)}"`)
        return `"data": "${Buffer.from(said).toString('base64')}"`
      }),
    ).actions

  test.each(['drill', 'restore'] as const)('is a %s of that very point, which starts as it is printed', async (id) => {
    here.catalog.points.record(aPoint(1))
    const command = offered().find((action) => action.id === id)?.command ?? ''
    expect(command).toContain(`holdfast ${id} web-01 --point ${pointIdOf(1)}`)
    expect(await ran(here, wordsOf(command, 'holdfast'))).toMatchObject({ code: 0, err: '' })
    expect(here.engine.started).toHaveLength(1)
    expect(here.engine.started[0]?.input).toMatchObject({ stem: aPoint(1).stem })
  })
})

test.each([
  { kind: 'new', hypervisorId: 'lab', name: 'Bob\'s copy; $(reboot) `x` "y"' },
  { kind: 'original', confirmName: 'web-01' },
] as const)('the command of a restore ($kind) says every name exactly', async (target) => {
  here.catalog.points.record(aPoint(1))
  const wish: RestoreWish = {
    pointId: pointIdOf(1),
    target,
    identity: 'same',
    powerOn: true,
    reason: '',
    tuning: {},
  }
  const words = wordsOf(consequences(restoreParts(here.catalog, wish), wish, null).command, 'holdfast')
  expect(words).toContain(target.kind === 'new' ? target.name : target.confirmName)
  expect(await complaintAbout(words)).toBe('')
})

test.each([['virtio1'], ['virtio0', 'virtio1'], []])(
  'the command of a restore of the disks %j is understood',
  async (...disks) => {
    here.catalog.points.record(aPoint(1))
    const target = { kind: 'new', hypervisorId: 'lab', name: 'copy' } as const
    const wish: RestoreWish = { pointId: pointIdOf(1), target, disks, identity: 'new', reason: '', tuning: {} }
    const words = wordsOf(consequences(restoreParts(here.catalog, wish), wish, null).command, 'holdfast')
    expect(await ran(here, words)).toMatchObject({ code: 0, err: '' })
    expect(here.engine.started[0]?.input).toMatchObject({ disks, target: { kind: 'new', name: 'copy' } })
  },
)

test('the README’s commands are understood as they are printed', async () => {
  const readme = readFileSync(new URL('README.md', root), 'utf8')
  const block = /^## Use it\n+```sh\n([\s\S]*?)```/m.exec(readme)?.[1] ?? ''
  const lines = block.replaceAll('\\\n', ' ').split('\n')
  const ours = lines.filter((line) => line.startsWith('npm run holdfast -- '))
  expect(ours.length).toBeGreaterThan(5)
  for (const line of ours) expect(await complaintAbout(wordsOf(line, 'npm').slice(3)), line).toBe('')
})

describe('a drill that is watched to its end', () => {
  beforeEach(() => void here.catalog.points.record(aPoint(1)))

  test.each([
    ['drill-passed', 0, 'completed, passed'],
    ['drill-failed', 1, 'completed, failed'],
    ['drill-silent', 1, 'completed, failed'],
    ['drill-inconclusive', 1, 'completed, inconclusive'],
  ] as const)('as %s exits with %i', async (name, code, word) => {
    const book = bookOf(name)
    using ended = bench({ vms: ['web-01'], toRunbook: () => book })
    ended.catalog.points.record(aPoint(1))
    const watched = await ran(ended, ['drill', 'web-01', '--watch'])
    const { out } = watched
    expect(watched).toMatchObject({ code, err: expect.stringContaining('Started drill/web-01') as string })
    expect(out).toContain(word)
    if (name === 'drill-failed') expect(out).toMatch(/✗ orders are whole[^\n]*\n +counted 990, expected 1000/)
    if (name === 'drill-silent') expect(out).toMatch(/✗ Wait until the guest answers/)
  })
})
