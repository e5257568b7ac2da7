import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { planDefaults } from '../policy/index.ts'
import { aDrill, aPoint, aVm, pointIdOf, testNow } from '../catalog/testing.ts'
import type { BackupInput } from '../workflows/backup/contract.ts'
import type { DrillInput } from '../workflows/drill/contract.ts'
import type { CheckRestoreInput } from '../workflows/inventory/contract.ts'
import type { RestoreInput } from '../workflows/restore/contract.ts'
import { siteQueue } from '../workflows/shared/queues.ts'
import { bench, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(() => void (here = bench({ vms: ['web-01', 'db-01'] })))
afterEach(() => here[Symbol.dispose]())

const key = { 'idempotency-key': 'key-of-this-request' }
interface Accepted {
  workflowId: string
  runId: string
  links: { run: string; runbook: string; page: string }
}
const bodyOf = async <T>(response: Response): Promise<T> => (await response.json()) as T

describe('a backup', () => {
  const path = '/api/v1/vms/web-01/backups'

  test('starts with everything that the site needs and answers with the way to its run', async () => {
    const response = await here.call('POST', path, {
      reason: 'before the update',
      tuning: { journalSourceBytes: 33_554_432 },
    })
    expect(response.status).toBe(202)
    const accepted = await bodyOf<Accepted>(response)
    expect(response.headers.get('location')).toBe(accepted.links.run)
    const [spec] = here.engine.started
    expect(spec).toMatchObject({
      workflow: 'backupVm',
      workflowId: 'backup/web-01',
      whenRunning: 'fail',
      search: { vm: 'web-01', repository: 'main', site: 'local' },
    })
    expect(spec?.input as BackupInput).toEqual({
      v: 1,
      vm: {
        id: 'web-01',
        site: 'local',
        ref: { platform: 'qemu', endpoint: 'lab', scope: 'scope-1', id: 'uuid-web-01', name: 'web-01' },
        endpoint: {
          id: 'lab',
          platform: 'qemu',
          address: '/srv/lab',
          credentialRef: '',
          identity: null,
          options: { scope: expect.any(String) as string },
        },
      },
      repository: {
        id: 'main',
        name: 'main',
        site: 'local',
        location: { kind: 'posix', path: '/srv/repository' },
        credentialRef: 'file:/srv/secrets/main',
      },
      origin: 'manual',
      name: null,
      description: null,
      mode: 'auto',
      want: 'filesystem',
      onQuiesceFailure: 'degrade',
      compressionLevel: 1,
      plan: null,
      disks: { roles: 'all', include: [], exclude: [], honourNobak: true },
      hooks: [],
      fullEveryMs: null,
      requestedBy: { user: 'operator', reason: 'before the update' },
      retentionClass: 'standard',
      tuning: { journalSourceBytes: 33_554_432 },
    })
    expect(await here.get(accepted.links.run)).toMatchObject({
      workflowId: 'backup/web-01',
      kind: 'backup',
      state: 'running',
      vmName: 'web-01',
    })
  })

  test('a second one is refused with the run that is under way', async () => {
    const first = await bodyOf<Accepted>(await here.call('POST', path, {}))
    const second = await here.call('POST', path, {})
    expect(second.status).toBe(409)
    expect(await second.json()).toMatchObject({
      code: 'AlreadyRunning',
      data: { workflowId: 'backup/web-01', runId: first.runId },
    })
  })

  test.each([
    ['a repository that is not there', { repositoryId: 'nothing' }, 404, 'NotFound'],
    ['a mode that is none', { mode: 'partial' }, 400, 'InvalidRequest'],
    ['a level out of range', { compressionLevel: 99 }, 400, 'InvalidRequest'],
  ])('with %s it is refused and nothing starts', async (_, body, status, code) => {
    const response = await here.call('POST', path, body)
    expect([response.status, (await bodyOf<{ code: string }>(response)).code]).toEqual([status, code])
    expect(here.engine.started).toEqual([])
  })

  test('of a VM that is gone is refused', async () => {
    here.catalog.vms.closeListing('lab', 'a-later-listing')
    const response = await here.call('POST', path, {})
    expect([response.status, (await bodyOf<{ detail: string }>(response)).detail]).toEqual([
      404,
      'web-01 is no longer listed by lab',
    ])
  })

  test('goes where the newest point is; with several repositories and no point one must be named', async () => {
    here.catalog.repositories.add({
      name: 'second',
      site: 'local',
      location: { kind: 'posix', path: '/srv/second' },
      credentialRef: 'file:/p',
    })
    const response = await here.call('POST', path, {})
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { detail: 'there are 2 repositories and none was named' },
    ])
    here.catalog.points.record(aPoint(1, { repositoryId: 'second' }))
    expect((await here.call('POST', path, {})).status).toBe(202)
    expect((here.engine.started[0]?.input as BackupInput).repository.id).toBe('second')
  })

  test('needs one site that reaches both', async () => {
    here.catalog.repositories.add({
      name: 'far',
      site: 'paris',
      location: { kind: 'posix', path: '/srv/far' },
      credentialRef: 'file:/p',
    })
    const response = await here.call('POST', path, { repositoryId: 'far' })
    expect([response.status, await response.json()]).toMatchObject([422, { code: 'Unsupported' }])
  })

  test('of a critical VM must be quiesced, of an ephemeral one need not', async () => {
    here.catalog.vms.change('web-01', { category: 'critical' })
    here.catalog.vms.change('db-01', { category: 'ephemeral' })
    await here.call('POST', path, {})
    await here.call('POST', '/api/v1/vms/db-01/backups', {})
    expect(
      here.engine.started.map(({ input }) => [(input as BackupInput).want, (input as BackupInput).onQuiesceFailure]),
    ).toEqual([
      ['filesystem', 'fail'],
      ['crash', 'degrade'],
    ])
  })

  test('follows the plan that takes the VM, what is set for the VM alone, and last what is asked for', async () => {
    const disks = { roles: 'data', include: [], exclude: [], honourNobak: true } as const
    const hook = { when: 'before-freeze', path: '/bin/dump', args: [], timeoutMs: 1000, onFailure: 'fail' } as const
    const targets = [{ repository: 'main', copy: 'backup', keep: null }] as const
    const plan = { ...planDefaults, name: 'nightly', where: [{ field: 'name', is: ['web-*'] }] as const, targets }
    here.catalog.plans.put({ ...plan, quiesce: 'required', disks, hooks: [hook], mode: 'full', compressionLevel: 9 }, 0)
    here.catalog.vms.change('web-01', { override: { fullEveryMs: 86_400_000 } })
    await here.call('POST', path, { compressionLevel: 3 })
    await here.call('POST', '/api/v1/vms/db-01/backups', {})
    expect(here.engine.started.map(({ input }) => input)).toMatchObject([
      {
        plan: 'nightly',
        mode: 'full',
        want: 'filesystem',
        onQuiesceFailure: 'fail',
        compressionLevel: 3,
        fullEveryMs: 86_400_000,
        disks,
        hooks: [hook],
      },
      { plan: null, mode: 'auto', onQuiesceFailure: 'degrade', compressionLevel: 1, hooks: [] },
    ])
  })

  test('made by hand is refused while its policy has no room for another; a publication is not', async () => {
    here.catalog.vms.change('web-01', { override: { keep: { daily: 7, manual: 2 } } })
    here.catalog.points.record(aPoint(1))
    here.catalog.points.record(aPoint(2))
    here.catalog.points.record(aPoint(3, { origin: 'scheduled' }))
    const response = await here.call('POST', path, {})
    expect([response.status, await response.json()]).toMatchObject([
      409,
      { code: 'QuotaFull', detail: 'web-01 has 2 points made by hand, and its policy keeps 2 in main' },
    ])
    expect(here.engine.started).toEqual([])
    expect((await here.call('POST', path, { origin: 'publish' })).status).toBe(202)
  })

  test('shuts the VM down only where that is wished, and never where its hypervisor cannot', async () => {
    const first = await bodyOf<Accepted>(await here.call('POST', path, {}))
    const last = () => here.engine.started.at(-1)?.input
    expect(last()).not.toHaveProperty('stopBefore')
    const run = here.engine.runOf(first)
    if (run) here.engine.end(run, 'completed')
    expect((await here.call('POST', path, { stopBefore: true, tuning: { shutdownLimitMs: 60_000 } })).status).toBe(202)
    expect(last()).toMatchObject({ stopBefore: true, tuning: { shutdownLimitMs: 60_000 } })
    const of = {
      testedMs: testNow,
      version: '1',
      identity: 'a',
      evidence: 'verified',
      findings: [],
      error: null,
    } as const
    here.catalog.endpoints.recordProbe('lab', { ...of, capabilities: { cleanStop: false } })
    const refused = await here.call('POST', path, { stopBefore: true })
    expect([refused.status, await refused.json()]).toMatchObject([422, { code: 'Unsupported' }])
    expect(here.engine.started).toHaveLength(2)
  })

  test('an engine that is away is said, and nothing is written down', async () => {
    here.engine.away = true
    const response = await here.call('POST', path, {})
    expect([response.status, await response.json()]).toMatchObject([503, { code: 'TemporalUnavailable' }])
    expect(here.catalog.runs.list({ limit: 9 }).total).toBe(0)
  })
})

describe('an Idempotency-Key', () => {
  const path = '/api/v1/vms/web-01/backups'

  test('repeated with the same words starts nothing twice, also after the run has ended', async () => {
    const first = await bodyOf<Accepted>(await here.call('POST', path, {}, key))
    const second = await bodyOf<Accepted>(await here.call('POST', path, {}, key))
    const run = here.engine.runOf(first)
    if (run) here.engine.end(run, 'completed')
    const third = await bodyOf<Accepted>(await here.call('POST', path, {}, key))
    expect([second.runId, third.runId]).toEqual([first.runId, first.runId])
    expect(here.engine.started).toHaveLength(1)
  })

  test('with other words is refused', async () => {
    await here.call('POST', path, {}, key)
    const response = await here.call('POST', path, { mode: 'full' }, key)
    expect([response.status, await response.json()]).toMatchObject([400, { code: 'InvalidRequest' }])
  })

  test('finds the run whose start was never answered', async () => {
    here.engine.away = 'after-start'
    expect((await here.call('POST', path, {}, key)).status).toBe(503)
    here.engine.away = false
    const again = await here.call('POST', path, {}, key)
    expect(again.status).toBe(202)
    expect((await bodyOf<Accepted>(again)).runId).toBe(here.engine.runs[0]?.runId)
    expect(here.engine.started).toHaveLength(1)
  })

  test('does not take the run of somebody else for its own, and may be used again after a refusal', async () => {
    const other = await bodyOf<Accepted>(await here.call('POST', path, {}))
    expect((await here.call('POST', path, {}, key)).status).toBe(409)
    const run = here.engine.runOf(other)
    if (run) here.engine.end(run, 'completed')
    const mine = await here.call('POST', path, {}, key)
    expect(mine.status).toBe(202)
    expect((await bodyOf<Accepted>(mine)).runId).not.toBe(other.runId)
  })

  test('of a restore keeps the id of its first attempt', async () => {
    here.catalog.points.record(aPoint(1))
    const body = { pointId: pointIdOf(1), target: { kind: 'new', hypervisorId: 'lab', name: 'web-01-restored' } }
    here.engine.away = 'after-start'
    await here.call('POST', '/api/v1/restores', body, key)
    here.engine.away = false
    expect((await here.call('POST', '/api/v1/restores', body, key)).status).toBe(202)
    expect(here.engine.runs).toHaveLength(1)
  })

  test('two requests at the same time start one run', async () => {
    const [a, b] = await Promise.all([here.call('POST', path, {}, key), here.call('POST', path, {}, key)])
    expect([a.status, b.status]).toEqual([202, 202])
    expect((await bodyOf<Accepted>(a)).runId).toBe((await bodyOf<Accepted>(b)).runId)
    expect(here.engine.started).toHaveLength(1)
  })
})

describe('a restore', () => {
  const asNew = { pointId: pointIdOf(1), target: { kind: 'new', hypervisorId: 'lab', name: 'web-01-restored' } }
  beforeEach(() => here.catalog.points.record(aPoint(1)))

  test('as a new VM carries the point, the target and an id of its own', async () => {
    const accepted = await bodyOf<Accepted>(await here.call('POST', '/api/v1/restores', { ...asNew, powerOn: true }))
    const input = here.engine.started[0]?.input as RestoreInput
    expect(accepted.workflowId).toBe(`restore/${input.requestId}`)
    expect(input.requestId).toMatch(/^[0-9a-f]{32}$/)
    expect(input).toMatchObject({
      stem: aPoint(1).stem,
      target: { kind: 'new', name: 'web-01-restored', site: 'local', endpoint: { id: 'lab' } },
      identity: 'new',
      powerOn: true,
    })
  })

  test('in the original place needs the name of the VM as confirmation', async () => {
    const original = (confirmName: string): Promise<Response> =>
      here.call('POST', '/api/v1/restores', { pointId: pointIdOf(1), target: { kind: 'original', confirmName } })
    const refused = await original('web-02')
    expect([refused.status, await refused.json()]).toMatchObject([400, { hint: 'Give confirmName "web-01".' }])
    expect((await original('web-01')).status).toBe(202)
    expect((here.engine.started[0]?.input as RestoreInput).target).toMatchObject({
      kind: 'original',
      confirmName: 'web-01',
      vm: { id: 'web-01' },
    })
    expect((here.engine.started[0]?.input as RestoreInput).powerOn).toBeNull()
  })

  test('of single disks, or of the configuration alone, says what stays as it is, and refuses a disk that is not there', async () => {
    const original = { kind: 'original', confirmName: 'web-01' }
    const inPlace = { pointId: pointIdOf(1), target: original, disks: ['virtio1'] }
    const result = { v: 1, findings: [], passed: [], logicalBytes: 0, dataBytes: null, error: null }
    const asked: unknown[] = []
    here.engine.answers.set('checkRestore', (input) => {
      asked.push((input as CheckRestoreInput).disks)
      return result
    })
    const check = async (wish: object) =>
      bodyOf<Record<string, unknown>>(await here.call('POST', '/api/v1/restores/checks', wish))
    expect(await check(inPlace)).toMatchObject({
      does: expect.arrayContaining([
        'writes up to 1.0 GiB to lab',
        'puts virtio1 in the place of what is there',
      ]) as string[],
      doesNotTouch: expect.arrayContaining([
        'the configuration and networks of web-01, and its disk virtio0',
      ]) as string[],
      command: `holdfast restore web-01 --point ${pointIdOf(1)} --disk virtio1 --in-place --confirm web-01`,
    })
    expect(await check({ ...asNew, disks: [] })).toMatchObject({
      does: expect.arrayContaining(['gives it the configuration of the point, and no disk']) as string[],
      command: `holdfast restore web-01 --point ${pointIdOf(1)} --no-disks --to lab --name web-01-restored`,
    })
    await check(asNew)
    expect(asked).toEqual([['virtio1'], [], undefined])
    expect((await here.call('POST', '/api/v1/restores', inPlace)).status).toBe(202)
    expect((here.engine.started[0]?.input as RestoreInput).disks).toEqual(['virtio1'])
    const refused = await here.call('POST', '/api/v1/restores', { ...asNew, disks: ['virtio7'] })
    expect([refused.status, await refused.json()]).toMatchObject([400, { hint: 'It has virtio0, virtio1.' }])
    expect((await here.call('POST', '/api/v1/restores', { ...inPlace, disks: [] })).status).toBe(400)
  })

  test('of a point that is not validated, not there, or of no known target is refused', async () => {
    here.catalog.points.record(aPoint(2, { validatedMs: null }))
    const statusOf = async (change: object): Promise<number> =>
      (await here.call('POST', '/api/v1/restores', { ...asNew, ...change })).status
    expect(await statusOf({ pointId: pointIdOf(2) })).toBe(422)
    expect(await statusOf({ pointId: pointIdOf(9) })).toBe(404)
    expect(await statusOf({ target: { kind: 'new', hypervisorId: 'nothing', name: 'x' } })).toBe(404)
    expect(await statusOf({ target: { kind: 'elsewhere' } })).toBe(400)
    expect(here.engine.started).toEqual([])
  })

  test('at another site has the names that were said of the two, and at its own the names it had', async () => {
    here.catalog.endpoints.move('lab', { site: 'lyon' })
    here.catalog.endpoints.add({
      ...{ id: 'dr', name: 'dr', platform: 'qemu', site: 'local', address: '/srv/dr', credentialRef: '', options: {} },
    })
    const networks = [
      { from: 'prod', to: 'prod-dr' },
      { from: 'lab', to: null },
    ]
    here.catalog.sites.putMap('lyon', { to: 'local', networks, storages: [{ from: 'ssd', to: 'tier-1' }] })
    const names = { networks: { prod: 'prod-dr', lab: null }, storages: { ssd: 'tier-1' } }
    const wish = { ...asNew, target: { kind: 'new', hypervisorId: 'dr', name: 'web-01-dr' } }
    expect((await here.call('POST', '/api/v1/restores', wish)).status).toBe(202)
    let asked: unknown
    here.engine.answers.set('checkRestore', (input) => {
      asked = input
      return { v: 1, findings: [], passed: [], logicalBytes: 0, dataBytes: null, error: null }
    })
    await here.call('POST', '/api/v1/restores/checks', wish)
    const instant = { pointId: pointIdOf(1), hypervisorId: 'dr', name: 'now', network: 'connected' }
    expect((await here.call('POST', '/api/v1/instants', instant)).status).toBe(202)
    const last = () => here.engine.started.at(-1)?.input
    expect([here.engine.started[0]?.input, asked, last()]).toMatchObject([names, names, names])
    here.catalog.endpoints.move('lab', { site: 'local' })
    await here.call('POST', '/api/v1/restores', wish)
    expect(last()).toMatchObject({ target: { name: 'web-01-dr' } })
    expect(last()).not.toHaveProperty('networks')
  })

  test('is checked by the site beforehand, and the answer says what it would do', async () => {
    here.engine.answers.set('checkRestore', (input) => {
      expect(input as CheckRestoreInput).toMatchObject({
        stem: aPoint(1).stem,
        target: { kind: 'new', name: 'web-01-restored' },
        powerOn: false,
      })
      return {
        v: 1,
        findings: [
          {
            code: 'NameTaken',
            severity: 'blocking',
            disk: null,
            message: 'there is a VM of this name',
            hint: 'Choose another.',
          },
        ],
        passed: [{ title: 'Space', detail: '9 GiB free' }],
        logicalBytes: 10,
        dataBytes: 1_048_576,
        error: null,
      }
    })
    const checks = await bodyOf<Record<string, unknown>>(await here.call('POST', '/api/v1/restores/checks', asNew))
    expect(checks).toMatchObject({
      blocked: true,
      findings: [{ code: 'NameTaken' }],
      passed: [{ title: 'Space' }],
      estimateSeconds: null,
      does: [
        'creates web-01-restored on lab',
        'writes 1.0 MiB to lab',
        'gives it new network addresses',
        'leaves it powered off',
      ],
      command: `holdfast restore web-01 --point ${pointIdOf(1)} --to lab --name web-01-restored`,
    })
    expect(here.catalog.runs.list({ limit: 9 }).total).toBe(0)
  })

  test('what could not be looked at blocks it', async () => {
    const error = {
      code: 'WrongSecret',
      message: 'the passphrase does not open it',
      hint: 'Another.',
      retry: 'operator',
      docs: 'errors.md#wrongsecret',
      causes: [],
    }
    here.engine.answers.set('checkRestore', () => ({
      v: 1,
      findings: [],
      passed: [],
      logicalBytes: 0,
      dataBytes: null,
      error,
    }))
    expect(await bodyOf(await here.call('POST', '/api/v1/restores/checks', asNew))).toMatchObject({
      blocked: true,
      findings: [{ code: 'WrongSecret', severity: 'blocking' }],
    })
  })
})

describe('a drill', () => {
  const check = {
    title: 'audit verify',
    path: '/bin/verify',
    args: ['--all'],
    timeoutMs: 5000,
    expectExit: 0,
    count: { expected: 100, tolerance: 0.005 },
  }

  test('takes the newest validated point and the checks kept with the VM', async () => {
    here.catalog.points.record(aPoint(1))
    here.catalog.points.record(aPoint(2, { createdMs: testNow, validatedMs: null }))
    expect((await here.call('PATCH', '/api/v1/vms/web-01', { drillChecks: [check] })).status).toBe(200)
    const accepted = await bodyOf<Accepted>(await here.call('POST', '/api/v1/drills', { vmId: 'web-01' }))
    expect(accepted.workflowId).toBe('drill/web-01/20261121t063640')
    expect(here.engine.started[0]?.input as DrillInput).toMatchObject({
      vmId: 'web-01',
      stem: aPoint(1).stem,
      endpoint: { id: 'lab' },
      checks: [check],
      bootTimeoutMs: 300_000,
    })
    expect(here.engine.started[0]?.input).not.toHaveProperty('from')
  })

  test('boots out of the repository where that is asked', async () => {
    here.catalog.points.record(aPoint(1))
    await here.call('POST', '/api/v1/drills', { vmId: 'web-01', from: 'repository' })
    expect(here.engine.started[0]?.input as DrillInput).toMatchObject({ from: 'repository' })
  })

  test('asks what the category asks where the VM has nothing of its own, and says where it is from', async () => {
    here.catalog.points.record(aPoint(1))
    const { revision, ...standard } = here.catalog.categories.get('standard')
    const { name: _n, createdMs: _c, changedMs: _m, vms: _v, ...spec } = standard
    const drill = { checks: [{ ...check, title: 'of all' }], bootTimeoutMs: 600_000 }
    expect((await here.call('PUT', '/api/v1/categories/standard', { ...spec, revision, drill })).status).toBe(200)
    expect(here.catalog.drills.candidates().map(({ hasChecks }) => hasChecks)).toEqual([true, true])
    const shown = (): Promise<{ drill: unknown; policy: unknown }> => here.get('/api/v1/vms/web-01')
    expect(await shown()).toMatchObject({
      drillChecks: [],
      drill: { checks: [{ title: 'of all' }], checksFrom: 'category standard', bootTimeoutMs: 600_000 },
      policy: expect.arrayContaining([
        { setting: 'Drill checks', value: 'of all', from: 'category standard' },
      ]) as unknown,
    })
    await here.call('POST', '/api/v1/drills', { vmId: 'web-01' })
    expect(here.engine.started[0]?.input).toMatchObject({ checks: [{ title: 'of all' }], bootTimeoutMs: 600_000 })

    await here.call('PATCH', '/api/v1/vms/web-01', { drillChecks: [check], override: { bootTimeoutMs: 60_000 } })
    expect(await shown()).toMatchObject({
      drill: { checks: [{ title: check.title }], checksFrom: 'set on this VM', bootTimeoutFrom: 'set on this VM' },
    })
    here.clock.ms += 1000
    await here.call('POST', '/api/v1/drills', { vmId: 'web-01' })
    expect(here.engine.started[1]?.input).toMatchObject({ checks: [{ title: check.title }], bootTimeoutMs: 60_000 })

    await here.call('PUT', '/api/v1/categories/standard', { ...spec })
    await here.call('PATCH', '/api/v1/vms/web-01', { drillChecks: [], override: {} })
    expect(await shown()).toMatchObject({ drill: { checks: [], checksFrom: 'default', bootTimeoutMs: 300_000 } })
    expect(here.catalog.drills.candidates().map(({ hasChecks }) => hasChecks)).toEqual([false, false])
  })

  test('asks what is kept, what prepares first, and compares counts with those of the last drill that passed', async () => {
    here.catalog.points.record(aPoint(1))
    const counted = { ...check, count: { expected: 'previous', tolerance: 0.005 } }
    const checks = [
      counted,
      { ...counted, title: 'never counted' },
      { kind: 'port', title: 'database', port: 5432, withinMs: 30_000 },
      { kind: 'http', title: 'page', url: 'http://127.0.0.1/health', pattern: '^ok' },
      { title: 'no peers', path: '/bin/isolate', prepares: true },
    ]
    const kept = await here.call('PATCH', '/api/v1/vms/web-01', { drillChecks: checks })
    expect(await bodyOf<{ drillChecks: unknown }>(kept)).toMatchObject({ drillChecks: checks })
    const answer = { title: check.title, passed: true, exit: 0, out: '', err: '', detail: '' }
    here.catalog.drills.record(aDrill('20261120t020000', { verdict: 'passed', checks: [{ ...answer, count: 990 }] }))
    // One that asked something else is not what counts are compared with.
    here.catalog.drills.record(
      aDrill('20261121t020000', { verdict: 'passed', checks: [{ ...answer, title: 'else', count: 1 }] }),
    )
    await here.call('POST', '/api/v1/drills', { vmId: 'web-01' })
    expect((here.engine.started[0]?.input as DrillInput).checks).toMatchObject([
      { title: 'no peers', prepares: true, timeoutMs: 60_000 },
      { title: check.title, count: { expected: 990, tolerance: 0.005 } },
      { title: 'never counted', count: { expected: null } },
      { title: 'database', path: '/bin/sh', looksAtDisks: false, withinMs: 30_000 },
      { title: 'page', path: '/bin/sh', pattern: '^ok' },
    ])
  })

  test.each([
    [{ kind: 'port', title: 'p', port: 0 }],
    [{ kind: 'http', title: 'p', url: 'file:///etc/passwd' }],
    [{ title: 'p', path: '/x', pattern: '(' }],
    [{ title: 'p' }],
    [
      { kind: 'port', title: 'p', port: 1 },
      { kind: 'port', title: 'p', port: 2 },
    ],
  ])('refuses what is no check: %j', async (...wrong) => {
    expect((await here.call('PATCH', '/api/v1/vms/web-01', { drillChecks: wrong })).status).toBe(400)
  })

  test('needs a point, of the VM that was named', async () => {
    const statusOf = async (body: object): Promise<number> => (await here.call('POST', '/api/v1/drills', body)).status
    expect(await statusOf({})).toBe(400)
    expect(await statusOf({ vmId: 'web-01' })).toBe(422)
    here.catalog.points.record(aPoint(1))
    expect(await statusOf({ vmId: 'db-01', pointId: pointIdOf(1) })).toBe(400)
    expect(await statusOf({ pointId: pointIdOf(1) })).toBe(202)
  })

  test('that has ended is shown with its checks and its picture', async () => {
    here.catalog.points.record(aPoint(1))
    const id = here.catalog.drills.record({
      vmId: 'web-01',
      pointId: pointIdOf(1),
      repositoryId: 'main',
      verdict: 'failed',
      why: 'audit verify exited with 1',
      startedMs: 1,
      endedMs: 2,
      rtoSeconds: null,
      restoreSeconds: 20,
      bootSeconds: 12,
      checks: [
        { title: 'audit verify', passed: false, exit: 1, out: '', err: 'broken chain', count: null, detail: '' },
      ],
      screenshot: null,
      workflowId: 'drill/web-01/20261121t063640',
      runId: 'r',
    })
    expect(await here.get(`/api/v1/drills/${id}`)).toMatchObject({
      verdict: 'failed',
      checksPassed: 0,
      checksTotal: 1,
      rtoTargetSeconds: 14_400,
      checks: [{ err: 'broken chain' }],
    })
    expect(await here.get('/api/v1/drills?verdict=failed')).toMatchObject({ total: 1, items: [{ id }] })
    expect(await here.get(`/api/v1/points/${pointIdOf(1)}`)).toMatchObject({ proof: { verdict: 'failed' } })
    expect((await here.call('GET', `/api/v1/drills/${id}/screenshot`)).status).toBe(404)
  })
})

describe('looking at hypervisors and repositories', () => {
  const found = {
    v: 1,
    version: 'QEMU 10',
    identity: 'AB',
    evidence: 'verified',
    capabilities: { changeTracking: 'extents' },
    findings: [],
    error: null,
    found: 3,
    added: 3,
    changed: 0,
    gone: 0,
  }

  test('a test and a discovery are asked of the site and answered with what it saw', async () => {
    here.engine.answers.set('discoverEndpoint', (input) => ({ ...found, version: (input as { mode: string }).mode }))
    expect(await bodyOf(await here.call('POST', '/api/v1/hypervisors/lab/test'))).toMatchObject({
      state: 'ok',
      version: 'probe',
      evidence: 'verified',
    })
    expect(await bodyOf(await here.call('POST', '/api/v1/hypervisors/lab/discover'))).toMatchObject({
      found: 3,
      probe: { version: 'discover' },
    })
    expect(here.engine.started.map((spec) => [spec.workflowId, spec.whenRunning])).toEqual([
      ['probe/lab', 'join'],
      ['discover/lab', 'join'],
    ])
  })

  test('what the site could not reach is an answer, not a failed request', async () => {
    const error = {
      code: 'NetworkFailure',
      message: 'connection refused',
      hint: 'Check.',
      retry: 'transient',
      docs: 'errors.md#networkfailure',
      causes: [],
    }
    here.engine.answers.set('discoverEndpoint', () => ({ ...found, version: null, error }))
    const response = await here.call('POST', '/api/v1/hypervisors/lab/test')
    expect([response.status, await response.json()]).toMatchObject([
      200,
      { state: 'failed', error: { code: 'NetworkFailure' } },
    ])
  })

  test('a site without workers is said at once, an answer that does not come is said in the end', async () => {
    const late = await here.call('POST', '/api/v1/repositories/main/test')
    expect([late.status, await late.json()]).toMatchObject([504, { code: 'HypervisorTimeout' }])
    here.engine.pollersByQueue.delete(siteQueue('local'))
    const none = await here.call('POST', '/api/v1/repositories/main/test')
    expect([none.status, await none.json()]).toMatchObject([
      503,
      { code: 'NoWorker', hint: expect.stringContaining('holdfast worker --site local') as string },
    ])
  })

  test('a repository test says each check', async () => {
    const checks = [{ name: 'read after write', passed: false, detail: 'saw the old content' }]
    here.engine.answers.set('testRepository', () => ({
      v: 1,
      repositoryUuid: 'a'.repeat(32),
      probe: { passed: false, checks, staleMs: 0, skewMs: 3, writeRate: 1e9, readRate: 2e9 },
      usage: null,
      error: null,
    }))
    expect(await bodyOf(await here.call('POST', '/api/v1/repositories/main/test'))).toMatchObject({
      state: 'failed',
      checks,
      writeRate: 1e9,
      security: null,
    })
    const slot = {
      id: 'ab',
      role: 'full',
      type: 'passphrase',
      label: 'ops',
      createdMs: 1,
      sound: true,
      isCurrent: true,
    }
    const security = {
      ...{ kekGen: 1, isComplete: false, damaged: 0, slots: [{ ...slot, threshold: null, shares: null }] },
      lock: { mode: 'compliance', days: 30, generationDays: 7 },
    }
    here.engine.answers.set('testRepository', () => ({
      ...{ v: 1, repositoryUuid: 'a'.repeat(32), security, probe: null, usage: null, error: null },
    }))
    await here.call('POST', '/api/v1/repositories/main/test')
    expect(await here.get('/api/v1/repositories/main')).toMatchObject({ test: { security } })
  })

  test('adding says where the new thing is, and a second one of the name is a conflict', async () => {
    const body = { name: 'Second lab', platform: 'image', address: '/images' }
    const added = await here.call('POST', '/api/v1/hypervisors', body)
    expect([added.status, added.headers.get('location')]).toEqual([201, '/api/v1/hypervisors/second-lab'])
    expect(await here.get('/api/v1/hypervisors/second-lab')).toMatchObject({ site: 'local', vms: 0, probe: null })
    expect((await here.call('POST', '/api/v1/hypervisors', body)).status).toBe(409)
    const repository = {
      name: 'Second',
      location: { kind: 'posix', path: '/srv/second' },
      credentialRef: 'file:/srv/secrets/second',
    }
    expect((await here.call('POST', '/api/v1/repositories', repository)).status).toBe(201)
    expect((await here.call('POST', '/api/v1/repositories', { ...repository, name: 'Third' })).status).toBe(409)
    expect(await here.get('/api/v1/repositories')).toMatchObject({ total: 2 })
  })
})

describe('lists', () => {
  test('VMs carry posture, newest point and last proof, and are filtered and paged', async () => {
    here.catalog.points.record(aPoint(1))
    const page = await here.get<{
      items: { id: string; posture: { state: string; sentence: string }; newestPoint: { id: string } | null }[]
      nextCursor: string
      total: number
    }>('/api/v1/vms?limit=1')
    expect(page).toMatchObject({
      total: 2,
      items: [{ id: 'db-01', posture: { state: 'unprotected' }, newestPoint: null }],
    })
    const next = await here.get<typeof page>(`/api/v1/vms?limit=1&cursor=${page.nextCursor}`)
    expect(next).toMatchObject({
      nextCursor: null,
      items: [
        {
          id: 'web-01',
          posture: { state: 'protected', sentence: 'Inside its RPO. The newest point is 1 h old, promise 24 h.' },
          newestPoint: { id: pointIdOf(1) },
        },
      ],
    })
    expect(await here.get('/api/v1/vms?state=outside-rpo')).toMatchObject({ total: 1 })
    expect((await here.call('GET', '/api/v1/vms?limit=1000')).status).toBe(400)
    expect((await here.call('GET', '/api/v1/vms?cursor=nonsense')).status).toBe(400)
  })

  test('a VM has its points and runs, a point its disks, a repository its consumers', async () => {
    here.catalog.points.record(aPoint(1))
    await here.call('POST', '/api/v1/vms/web-01/backups', {})
    expect(await here.get('/api/v1/vms/web-01/points')).toMatchObject({
      total: 1,
      items: [{ mode: 'full', verification: { level: 'spot-checked', chunks: 16 } }],
    })
    expect(await here.get('/api/v1/vms/web-01/runs')).toMatchObject({ total: 1, items: [{ state: 'running' }] })
    expect(await here.get('/api/v1/vms/web-01')).toMatchObject({
      running: { workflowId: 'backup/web-01' },
      defaultRepositoryId: 'main',
      disks: [{ key: 'virtio0' }, { key: 'virtio1' }],
    })
    expect(await here.get(`/api/v1/points/${pointIdOf(1)}`)).toMatchObject({
      disks: [{ disk: 'virtio0', why: 'there is no earlier point to build on' }, { disk: 'virtio1' }],
      repositoryPath: '/srv/repository',
    })
    expect(await here.get('/api/v1/repositories/main')).toMatchObject({
      points: 1,
      consumption: [{ vmId: 'web-01', verifiedShare: 1 }],
    })
    expect(await here.get('/api/v1/points?proven=never')).toMatchObject({ total: 1 })
  })

  test('a name from a hypervisor is data, whatever it contains', async () => {
    const name = '<img src=x onerror=alert(1)> \u202E"; rm -rf /'
    here.catalog.vms.recordDiscovered('lab', 'l2', [aVm(name)])
    const page = await here.get<{ items: { id: string; name: string }[] }>('/api/v1/vms?q=onerror')
    expect(page.items[0]).toMatchObject({ id: 'img-src-x-onerror-alert-1-rm-rf', name })
  })
})
