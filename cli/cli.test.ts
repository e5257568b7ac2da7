import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { adminToken, bench, type Bench } from '../api/testing/bench.ts'
import { aDrill, aPoint, pointIdOf, testNow } from '../catalog/testing.ts'
import { siteQueue } from '../workflows/shared/queues.ts'
import { clientTypes } from './client/write-client.ts'
import type { World } from './io.ts'
import { runCli } from './program.ts'
import { worldOf, type Ran } from './testing.ts'
import { verbs } from './verbs.ts'

let here: Bench
let folder: string
beforeEach(() => {
  here = bench({ vms: ['web-01', 'db-01'] })
  folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'))
})
afterEach(() => {
  here[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

interface Setting {
  readonly env?: Record<string, string>
  readonly signal?: AbortSignal
  readonly onSleep?: () => void | Promise<void>
  readonly isTty?: boolean
  readonly fetch?: World['fetch']
}

/** The command line in this process, against the API in memory. */
async function holdfast(line: string | readonly string[], setting: Setting = {}): Promise<Ran> {
  const argv = typeof line === 'string' ? line.split(' ') : [...line]
  const said = { out: '', err: '' }
  const world = worldOf(here, said)
  const tty = setting.isTty ? { isTTY: true, columns: 60 } : {}
  const code = await runCli(
    argv,
    {
      ...world,
      stdout: { ...world.stdout, ...tty },
      stderr: { ...world.stderr, ...tty },
      env: { ...world.env, HOLDFAST_HOME: folder, ...setting.env },
      ...(setting.fetch && { fetch: setting.fetch }),
      sleep: async (ms) => {
        here.clock.ms += ms
        await setting.onSleep?.()
      },
      ...(setting.signal && { signal: setting.signal }),
    },
    '0.1.0',
  )
  return { code, ...said }
}
const json = <T = Record<string, unknown>>(ran: Ran): T => JSON.parse(ran.out) as T

describe('exit codes', () => {
  const away = async (): Promise<Response> => Promise.reject(new TypeError('fetch failed'))
  test.each<[string, number, string, Setting?]>([
    ['all is well', 0, 'vms'],
    ['an unknown verb', 2, 'nonsense'],
    ['an unknown option', 2, 'vms --nonsense'],
    ['a missing argument', 2, 'backup'],
    ['a choice that is none', 2, 'vms --state fine'],
    ['a number that is none', 2, 'vms --limit many'],
    ['a request that the server refuses', 2, 'drill web-01 --point nonsense'],
    ['a VM that is not there', 4, 'backup nothing'],
    ['a run that is not there', 4, 'run show backup/nothing'],
    ['a wrong token', 6, 'vms --token wrong'],
    ['no token at all', 6, 'vms', { env: { HOLDFAST_TOKEN: '' } }],
    ['a server that is away', 7, 'vms', { fetch: away }],
    ['something else at the address', 7, 'vms', { fetch: async () => new Response('<html>', { status: 502 }) }],
    ['an address that is none', 2, 'vms --server nonsense'],
  ])('%s is %i', async (_, code, line, setting) => {
    const ran = await holdfast(line, setting)
    expect(ran.code).toBe(code)
    if (code !== 0) expect(ran.out).toBe('')
  })

  test('a conflict is 5, an engine or worker that is away is 8', async () => {
    expect((await holdfast('backup web-01')).code).toBe(0)
    expect((await holdfast('backup web-01')).code).toBe(5)
    here.engine.pollersByQueue.delete(siteQueue('local'))
    expect((await holdfast('hypervisor test lab')).code).toBe(8)
    here.engine.away = true
    expect((await holdfast('backup db-01')).code).toBe(8)
  })

  test('some of several is 3, and the others have started', async () => {
    const ran = await holdfast('backup web-01 nothing db-01 --json')
    expect(ran.code).toBe(3)
    expect(json<{ vm: string; run: object | null; error: { code: string } | null }[]>(ran)).toMatchObject([
      { vm: 'web-01', error: null },
      { vm: 'nothing', run: null, error: { code: 'NotFound' } },
      { vm: 'db-01', error: null },
    ])
    expect(here.engine.started).toHaveLength(2)
  })

  test('of several is that of one where all ended alike, or what ended it all', async () => {
    const two = 'backup web-01 db-01'
    expect((await holdfast(two, { fetch: away })).code).toBe(7)
    expect((await holdfast(two, { env: { HOLDFAST_TOKEN: 'wrong' } })).code).toBe(6)
    here.engine.away = true
    expect((await holdfast(two)).code).toBe(8)
    here.engine.away = false
    expect((await holdfast('backup nothing neither')).code).toBe(4)
    here.engine.put({ workflowId: 'backup/web-01', workflow: 'backupVm' })
    expect((await holdfast('backup web-01 nothing')).code).toBe(1)

    const stop = new AbortController()
    const fetch: World['fetch'] = async (request) => {
      stop.abort()
      return Promise.reject(request.signal.reason as Error)
    }
    expect((await holdfast(two, { fetch, signal: stop.signal })).code).toBe(130)
  })

  test('of several tells what was started before the server went away', async () => {
    let asked = 0
    const fetch: World['fetch'] = async (request) => ((asked += 1) > 2 ? away() : here.app.fetch(request))
    const ran = await holdfast('backup web-01 db-01', { fetch })
    expect([ran.code, ran.out]).toEqual([7, expect.stringMatching(/^web-01: started/)])
  })

  test('interrupted is 130', async () => {
    const stop = new AbortController()
    stop.abort()
    expect((await holdfast('run watch backup/web-01', { signal: stop.signal })).code).toBe(130)
  })
})

describe('output', () => {
  test('data goes to stdout, messages to stderr, and --json is one document', async () => {
    here.catalog.points.record(aPoint(1))
    for (const line of [
      'status',
      'vms',
      'vms web-01',
      'points',
      'points web-01',
      'points web-01 --point latest',
      'runs',
      'hypervisor ls',
      'repository ls',
      'doctor',
    ]) {
      const ran = await holdfast(`${line} --json`)
      expect(() => json(ran), line).not.toThrow()
      const text = await holdfast(line)
      expect(text.out.length, line).toBeGreaterThan(10)
    }
  })

  test('an error says what and what to do; with --json it is a document on stderr', async () => {
    expect((await holdfast('vms nothing')).err).toBe(
      'holdfast: there is no VM nothing\n  List them with `holdfast vms`.\n',
    )
    const ran = await holdfast('vms nothing --json')
    expect(JSON.parse(ran.err)).toMatchObject({ error: { code: 'NotFound', docs: 'errors.md#notfound' } })
  })

  test('colour is for terminals, and NO_COLOR, --no-color and dumb terminals go without', async () => {
    const coloured = '\u001B['
    expect((await holdfast('vms', { isTty: true })).out).toContain(coloured)
    for (const [line, setting] of [
      ['vms', {}],
      ['vms --no-color', { isTty: true }],
      ['vms', { isTty: true, env: { NO_COLOR: '1' } }],
      ['vms', { isTty: true, env: { TERM: 'dumb' } }],
      ['vms --json', { isTty: true }],
    ] as const) {
      expect((await holdfast(line, setting)).out).not.toContain(coloured)
    }
  })

  test('a name from a hypervisor cannot steer the terminal', async () => {
    here.catalog.vms.recordDiscovered('lab', 'l', [
      { ...sampleVm, vm: { scope: 's', id: 'evil', name: 'a\u001B]0;owned\u0007\u202Eb' } },
    ])
    const { out } = await holdfast('vms a-0-owned-b')
    expect(out).not.toMatch(/\u001B|\u0007|\u202E/)
  })

  test('the answer of status is a sentence, then what to do', async () => {
    const { out } = await holdfast('status')
    expect(out.split('\n').slice(0, 2)).toEqual([
      '2 VMs need you.',
      '0 of 2 VMs are inside their RPO. 2 things want a decision.',
    ])
    expect(out).toContain('Back up now: holdfast backup db-01')
  })
})

const sampleVm = {
  power: 'running',
  tags: [],
  disks: [],
  guest: { agent: 'unknown', os: null },
  foreignSnapshots: 0,
  owner: null,
  findings: [],
} as const

describe('help', () => {
  test('of the program opens with examples and names every verb without loading one', async () => {
    const { code, out } = await holdfast('--help')
    expect(code).toBe(0)
    expect(out.startsWith('Examples:\n')).toBe(true)
    for (const verb of Object.keys(verbs)) expect(out).toMatch(new RegExp(`^  ${verb} +\\S`, 'm'))
    expect(out).toContain('Exit codes: 0 ok')
  })

  test.each(Object.keys(verbs))('of %s opens with its own examples', async (verb) => {
    const { code, out } = await holdfast(`${verb} --help`)
    expect(code).toBe(0)
    expect(out).toMatch(/^Examples:\n {2}\$ .*holdfast/)
    expect(out.match(/^Examples:/gm)).toHaveLength(1)
  })

  test('nothing at all is help and a usage error', async () => {
    expect((await holdfast([])).code).toBe(2)
  })
})

describe('acting', () => {
  test('a backup takes its options, by id or by name', async () => {
    const ran = await holdfast([
      'backup',
      'web-01',
      '--full',
      '--name',
      'before update',
      '--consistency',
      'crash',
      '--level',
      '9',
      '--reason',
      'update',
      '--json',
    ])
    expect(json(ran)).toMatchObject({ workflowId: 'backup/web-01', command: 'holdfast run watch backup/web-01' })
    expect(here.engine.started[0]?.input).toMatchObject({
      mode: 'full',
      name: 'before update',
      want: 'crash',
      compressionLevel: 9,
      requestedBy: { reason: 'update' },
    })
  })

  test('a backup says whether the VM is shut down for it, and whether it belongs to a release', async () => {
    await holdfast('backup web-01 --stop-before --publish --take-over-from lyon --json')
    expect(here.engine.started[0]?.input).toMatchObject({
      stopBefore: true,
      origin: 'publish',
      takeOverFrom: 'lyon',
    })
  })

  test('a key makes a repeated command harmless', async () => {
    const first = json(await holdfast('backup web-01 --key nightly-1 --json'))
    expect(json(await holdfast('backup web-01 --key nightly-1 --json')).runId).toBe(first.runId)
  })

  test('a restore needs to be told where to, and in place the name of the VM', async () => {
    here.catalog.points.record(aPoint(1))
    expect((await holdfast('restore web-01')).code).toBe(2)
    const refused = await holdfast('restore web-01 --in-place')
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('--confirm web-01')])
    expect((await holdfast('restore web-01 --in-place --name x --confirm web-01')).code).toBe(2)
    expect((await holdfast('restore web-01 --in-place --confirm web-01 --start')).code).toBe(0)
    expect((await holdfast(`restore web-01 --point ${pointIdOf(1)} --name web-01-b --to lab`)).code).toBe(0)
    expect(here.engine.started.map((spec) => (spec.input as { target: { kind: string } }).target.kind)).toEqual([
      'original',
      'new',
    ])
  })

  test('a point is named by latest, by the beginning of its id, or by its time', async () => {
    const id = 'abcdef00'.padEnd(32, '1')
    here.catalog.points.record(aPoint(1, { id, createdMs: testNow - 7_200_000 }))
    here.catalog.points.record(aPoint(2, { id: 'abcdef11'.padEnd(32, '1'), createdMs: testNow - 60_000 }))
    const point = async (name: string): Promise<unknown> =>
      json(await holdfast(`points web-01 --point ${name} --json`)).createdMs
    expect(await point('latest')).toBe(testNow - 60_000)
    expect(await point('abcdef00')).toBe(testNow - 7_200_000)
    expect(await point('2026-11-21T04:36:40Z')).toBe(testNow - 7_200_000)
    expect((await holdfast('points web-01 --point abcdef')).code).toBe(2)
    expect((await holdfast('points web-01 --point 2020-01-01T00:00:00Z')).code).toBe(4)
  })

  test('a drill takes its checks from a file', async () => {
    here.catalog.points.record(aPoint(1))
    const file = join(folder, 'checks.json')
    writeFileSync(file, JSON.stringify([{ title: 'verify', path: '/bin/verify', args: [] }]))
    expect((await holdfast(`drill web-01 --checks ${file}`)).code).toBe(0)
    expect(here.engine.started[0]?.input).toMatchObject({
      checks: [{ title: 'verify', timeoutMs: 60_000, expectExit: 0, count: null }],
    })
    writeFileSync(file, '{')
    expect((await holdfast(`drill web-01 --checks ${file}`)).code).toBe(2)
  })

  test('drills that have ended, and the next of each VM', async () => {
    here.catalog.points.record(aPoint(1))
    here.catalog.drills.record(aDrill('1'))
    expect((await holdfast('drills web-01')).out).toMatch(/web-01 +passed +43 s +1 of 1 +web-01.1 +all checks passed/)
    expect(json(await holdfast('drills --verdict failed --json')).total).toBe(0)
    expect((await holdfast('drills --next')).out).toMatch(
      /^1 of 1 VMs are proven in time, 0 overdue\.\n[^]*web-01 +coming /,
    )
    here.clock.ms += 400 * 86_400_000
    expect(json(await holdfast('drills web-01 --overdue --json'))).toMatchObject({
      total: 1,
      items: [{ vmId: 'web-01', state: 'overdue', hindrance: 'hypervisor' }],
      coverage: { promised: 1, proven: 0, overdue: 1, neverPassed: 0 },
    })
    expect((await holdfast('drills --next --verdict failed')).code).toBe(2)
  })

  test('a hypervisor and a repository are added, listed and tested', async () => {
    const error = { code: 'NetworkFailure', message: 'refused', hint: 'h', retry: 'transient', docs: 'd', causes: [] }
    here.engine.answers.set('discoverEndpoint', () => ({
      v: 1,
      version: null,
      identity: null,
      evidence: null,
      capabilities: null,
      findings: [],
      error,
      found: 0,
      added: 0,
      changed: 0,
      gone: 0,
    }))
    const added = await holdfast(
      'hypervisor add two /two --platform image --option scope=mine --option deep=true --discover --json',
    )
    expect([added.code, json(added)]).toMatchObject([
      1,
      { id: 'two', options: { scope: 'mine', deep: true }, discovery: { probe: { state: 'failed' } } },
    ])
    expect((await holdfast('hypervisor add two /two')).code).toBe(2)
    expect((await holdfast('repository add second /srv/second --credential file:/p')).code).toBe(0)
    expect((await holdfast('repository add second /srv/third --credential file:/p')).code).toBe(5)
    expect((await holdfast('repository add third /srv/third --credential secret')).code).toBe(2)
    here.engine.answers.set('testRepository', () => ({
      v: 1,
      repositoryUuid: null,
      probe: {
        passed: false,
        checks: [{ name: 'list', passed: false, detail: 'stale' }],
        staleMs: 9,
        skewMs: 0,
        writeRate: 1,
        readRate: 1,
      },
      usage: null,
      error: null,
    }))
    const tested = await holdfast('repository test main')
    expect([tested.code, tested.out]).toEqual([1, expect.stringContaining('FAILED: list')])
  })

  test('a doctor that finds something broken fails', async () => {
    here.engine.away = true
    const ran = await holdfast('doctor')
    expect([ran.code, ran.out]).toEqual([1, expect.stringContaining('FAILED  Temporal')])
  })
})

describe('a run', () => {
  beforeEach(async () => void (await holdfast('backup web-01')))

  test.each(['pause', 'resume', 'cancel'])('is told to %s with a reason', async (verb) => {
    expect((await holdfast(['run', verb, 'backup/web-01', '--reason', 'maintenance'])).code).toBe(0)
    expect(here.engine.runs[0]?.wishes.at(-1)?.kind).toBe(verb === 'cancel' ? 'cancel' : 'update')
    expect(here.engine.runs[0]?.wishes[0]?.argument).toEqual({ user: 'operator', reason: 'maintenance' })
  })

  test('is retried now while it runs, and started again when it has ended', async () => {
    const now = json(await holdfast('run retry backup/web-01 --json'))
    expect(now.steps).toEqual([])
    end('failed')
    await here.deps.live.tick()
    expect(json(await holdfast('run retry backup/web-01 --json'))).toMatchObject({ workflowId: 'backup/web-01' })
    expect(here.engine.started).toHaveLength(2)
  })

  const end = (status: 'completed' | 'failed' | 'cancelled'): void => {
    const [run] = here.engine.runs
    if (run) here.engine.end(run, status)
  }

  test.each([
    ['completed', 0],
    ['failed', 1],
    ['cancelled', 1],
  ] as const)('that ends as %s is watched to its end and exits with %i', async (status, code) => {
    let looks = 0
    const ran = await holdfast('run watch backup/web-01 --json', {
      onSleep: () => void ((looks += 1) === 25 && end(status)),
    })
    expect([ran.code, json(ran).state]).toEqual([code, status])
    // One line when it begins and one per ten seconds.
    expect(ran.err.trim().split('\n')).toHaveLength(3)
  })

  test('is watched live on a terminal, in place', async () => {
    let looks = 0
    const ran = await holdfast('run watch backup/web-01', {
      isTty: true,
      onSleep: () => void ((looks += 1) === 3 && end('completed')),
    })
    expect(ran.code).toBe(0)
    expect(ran.err).toMatch(/\u001B\[\d+A\u001B\[0J/)
  })

  test('goes on when the watching is interrupted, and through a restart of the server', async () => {
    const stop = new AbortController()
    const ran = await holdfast('run watch backup/web-01', { signal: stop.signal, onSleep: () => stop.abort() })
    expect([ran.code, ran.err]).toEqual([130, expect.stringContaining('the run goes on')])
    expect(here.engine.runs[0]?.wishes).toEqual([])

    let looks = 0
    const flaky: World['fetch'] = async (request) => {
      if (looks > 2 && looks < 30) throw new TypeError('fetch failed')
      return here.app.fetch(request)
    }
    const through = await holdfast('run watch backup/web-01', {
      fetch: flaky,
      onSleep: () => void ((looks += 1) === 40 && end('completed')),
    })
    expect([through.code, through.err]).toEqual([0, expect.stringContaining('cannot be reached; the run goes on')])
  })

  test('of a server that stays away is given up after five minutes', async () => {
    let looks = 0
    const gone: World['fetch'] = async (request) =>
      looks > 0 ? Promise.reject(new TypeError('fetch failed')) : here.app.fetch(request)
    const ran = await holdfast('run watch backup/web-01', { fetch: gone, onSleep: () => void (looks += 1) })
    expect([ran.code, looks]).toEqual([7, 302])
  })
})

describe('the way to the server', () => {
  test('address and token come from the files of a server on this machine', async () => {
    const seen: string[] = []
    const fetch: World['fetch'] = async (request) => {
      seen.push(`${new URL(request.url).origin} ${request.headers.get('authorization') ?? ''}`)
      return here.app.fetch(request)
    }
    const none = { HOLDFAST_SERVER: '', HOLDFAST_TOKEN: '' }
    const env = Object.fromEntries(Object.keys(none).map((name) => [name, undefined])) as unknown as Record<
      string,
      string
    >
    const { mkdirSync } = await import('node:fs')
    mkdirSync(join(folder, 'run'))
    mkdirSync(join(folder, 'secrets'))
    writeFileSync(
      join(folder, 'run', 'server.json'),
      JSON.stringify({ role: 'server', address: 'http://127.0.0.1:7777' }),
    )
    writeFileSync(join(folder, 'secrets', 'admin-token'), `${adminToken}\n`)
    expect((await holdfast('vms', { env, fetch })).code).toBe(0)
    rmSync(join(folder, 'run', 'server.json'))
    await holdfast('vms', { env: { ...env, HOLDFAST_PORT: '7501' }, fetch })
    await holdfast('vms --server http://localhost:7420/', { env, fetch })
    expect(seen).toEqual(
      ['http://127.0.0.1:7777', 'http://127.0.0.1:7501', 'http://localhost:7420'].map(
        (origin) => `${origin} Bearer ${adminToken}`,
      ),
    )
    // Another server never hears this machine's token, only one that is meant for it.
    seen.length = 0
    for (const server of ['http://flag:1', 'https://127.0.0.1:7420', 'http://127.0.0.1:7421']) {
      const refused = await holdfast(`vms --server ${server}`, { env, fetch })
      expect([refused.code, refused.err]).toEqual([6, expect.stringContaining(`no token was given for ${server}`)])
    }
    expect((await holdfast('vms', { env: { ...env, HOLDFAST_SERVER: 'http://flag:1' }, fetch })).code).toBe(6)
    expect(seen).toEqual([])
    await holdfast(`vms --server http://flag:1/ --token mine`, { env, fetch })
    expect(seen).toEqual(['http://flag:1 Bearer mine'])
  })

  test(
    'the committed client is what the document says (node cli/client/write-client.ts brings it up to date)',
    {
      timeout: 30_000,
    },
    async () => {
      expect(readFileSync(new URL('client/schema.gen.ts', import.meta.url), 'utf8')).toBe(await clientTypes())
    },
  )
})

test('the script runs as it is, quickly, and writes nothing but help', async () => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, '--help'])
  expect(stdout).toContain('Usage: holdfast')
  expect(stderr).toBe('')
  const unknown = spawnSync(process.execPath, [main, 'nonsense'])
  expect(unknown.status).toBe(2)
})
