import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { constants, copyFile, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createSiteActivities } from '../../activities/index.ts'
import { sampleDisks, sampleRepository, sampleRequester, sampleSite } from '../../activities/testing/samples.ts'
import { Scripted } from '../../activities/testing/scripted.ts'
import { testSite, type TestSite } from '../../activities/testing/site.ts'
import { createDescription, readDescription, VM_FILE } from '../../drivers/qemu/description.ts'
import { driverModules, type OpKey, type VmRef } from '../../drivers/index.ts'
import { runProgram } from '../../drivers/transport/index.ts'
import { endTemporaryLab, runWorkload, temporaryLab, type Lab, type LabVm } from '../../lab/index.ts'
import { toQuestions, type DrillCheckSpec } from '../../policy/index.ts'
import { WorkflowBench } from '../../server/testing/workflows.ts'
import { drillWorkflow, type DrillInput, type DrillResult } from '../../workflows/drill/contract.ts'

/**
 * Every defect that a drill is there to find, planted into the disks of a real guest: the workflow of the drill boots
 * it and asks it with the real steps. Only the copying of the disks is left out, which has its own tests.
 */

let lab: Lab
let bench: WorkflowBench
let world: TestSite
let rows: number
beforeAll(async () => {
  const small = { qcow2: 256 * 2 ** 20, raw: 64 * 2 ** 20 }
  ;[bench, lab] = await Promise.all([
    WorkflowBench.start(),
    temporaryLab({
      vms: [
        { name: 'web', ...small },
        { name: 'own', boots: 'disk', raw: null },
      ],
    }),
  ])
  world = testSite({ drivers: Object.values(driverModules) })
  const [web, own] = [guest('web'), guest('own')]
  await runWorkload(web, 40)
  rows = (await web.check()).rows
  await keep(web, 'healthy')
  const db = '/data/0/holdfast/audit.db'
  await web.shell(`cp ${db} /run/kept.db`)
  const plant = async (name: string, script: string): Promise<void> => {
    await web.shell(`${script}; sync`)
    await keep(web, name)
    await web.shell(`cp /run/kept.db ${db}; sync`)
  }
  await plant('database', `dd if=/dev/urandom of=${db} bs=1024 seek=4 count=8 conv=notrunc 2>/dev/null`)
  await plant('chain', `sqlite3 ${db} "UPDATE audit SET subject = subject || 'x' WHERE id = 5"`)
  await plant('count', `sqlite3 ${db} "DELETE FROM audit WHERE id > ${rows - Math.ceil(rows / 100)}"`)
  await keep(own, 'sector')
  await runProgram('qemu-io', ['-c', 'write -P 0 0 512', join(kept('sector'), 'disk0.qcow2')])
  for (const vm of lab.vms) await vm.stop('quit')
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
  await endTemporaryLab(lab)
})

const guest = (name: string): LabVm => lab.vms.find((vm) => vm.name === name) as LabVm
const kept = (name: string): string => join(lab.folder, 'kept', name)

/** As a point in time has it: the guest stands still, its file systems are mounted. */
async function keep(vm: LabVm, name: string): Promise<void> {
  await using monitor = await vm.monitor()
  await monitor.execute('stop')
  await copyVm(vm.dir, kept(name))
  await monitor.execute('cont')
}

async function copyVm(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  for (const { name } of (await readdir(from, { withFileTypes: true })).filter((entry) => entry.isFile()))
    await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE)
}

const base = { timeoutMs: 60_000, withinMs: 0 }
const command = (title: string, path: string, more: object = {}): DrillCheckSpec => ({
  ...{ kind: 'command', title, path, args: [], expectExit: 0, pattern: null, count: null, prepares: false },
  ...base,
  ...more,
})
const files = command('files', '/usr/bin/check-integrity')
const audit = command('audit trail', '/usr/bin/audit-verify')

/** What the drill of that copy says, and whether anything is left of its VM. */
async function drill(
  copy: string,
  checks: readonly DrillCheckSpec[],
  { append = '', bootTimeoutMs = 90_000, previous = new Map<string, number>() } = {},
): Promise<DrillResult> {
  const real = createSiteActivities(world.site)
  const dir = join(lab.endpoint.address, `drill-${copy}`)
  const scope = String(lab.endpoint.options['scope'])
  const steps = new Scripted({
    createTarget: async ({ operation }) => {
      const vm: VmRef = { platform: 'qemu', endpoint: lab.endpoint.id, scope, id: randomUUID(), name: `drill-${copy}` }
      const opKey: OpKey = world.site.opKey(vm, operation)
      const was = await readDescription(kept(copy))
      await copyVm(kept(copy), dir)
      const kernel = was.append === undefined ? {} : { append: was.append + append }
      await runProgram('rm', [join(dir, VM_FILE)])
      await createDescription(dir, { ...was, ...kernel, uuid: vm.id, name: vm.name, opKey })
      return { vm, opKey, disks: sampleDisks, replaced: null }
    },
    bootIsolated: (input) => real.bootIsolated(input),
    waitForGuest: (input) => real.waitForGuest(input),
    runGuestCheck: (input) => real.runGuestCheck(input),
    takeScreenshot: (input) => real.takeScreenshot(input),
    destroyTarget: (input) => real.destroyTarget(input),
  })
  const input: DrillInput = {
    v: 1,
    vmId: 'web',
    vmName: 'web',
    repository: sampleRepository,
    stem: `snap/${'1'.repeat(32)}/0000000000000000-${'f'.repeat(32)}`,
    endpoint: lab.endpoint,
    site: sampleSite,
    checks: toQuestions(checks, previous),
    bootTimeoutMs,
    requestedBy: sampleRequester,
    tuning: {},
  }
  const { value } = await bench.run(
    drillWorkflow,
    input,
    steps.activities,
    (handle) => handle.result() as Promise<DrillResult>,
  )
  expect(existsSync(dir)).toBe(false)
  expect(value).toMatchObject({ outcome: 'completed', residue: [] })
  expect(value.screenshot === null || world.evidence.has(value.screenshot)).toBe(true)
  return value
}

it('what is whole passes: prepared first, its services waited for, counts as in the last drill', async () => {
  const serves = '(sleep 3; httpd -p 127.0.0.1:8080 -h /data/0/holdfast) >/dev/null 2>&1 &'
  const counted = command('audit trail', '/usr/bin/audit-verify', { count: { expected: 'previous', tolerance: 0.005 } })
  const checks: DrillCheckSpec[] = [
    files,
    counted,
    { kind: 'port', title: 'web server', port: 8080, ...base, withinMs: 30_000 },
    { kind: 'port', title: 'nobody there', port: 81, ...base },
    command('without peers', '/bin/sh', { args: ['-c', serves], prepares: true }),
  ]
  const result = await drill('healthy', checks, { previous: new Map([['audit trail', rows]]) })
  expect(result.checks.map(({ title, passed }) => [title, passed])).toEqual([
    ['without peers', true],
    ['files', true],
    ['audit trail', true],
    ['web server', true],
    ['nobody there', false],
  ])
  expect(result).toMatchObject({
    verdict: 'failed',
    why: expect.stringContaining('nobody listens on port 81') as string,
  })
  expect(result.checks[2]?.detail).toBe(`counted ${rows}, expected ${rows} ± 0.5 %`)

  const passed = await drill('healthy', [
    command('now primary', '/bin/sh', {
      args: ['-c', 'echo "state: primary" >/data/0/holdfast/state'],
      prepares: true,
    }),
    command('state', '/bin/cat', { args: ['/data/0/holdfast/state'], pattern: '^state: primary$' }),
  ])
  expect(passed.why).toBe('booted, 2 of 2 checks passed')
  expect(passed).toMatchObject({ verdict: 'passed', screenshot: expect.stringMatching(/^[0-9a-f]{64}$/) as string })
  expect(passed.rtoSeconds).toBeGreaterThan(0)
})

it('a guest that cannot be prepared is asked nothing, and nobody can tell', async () => {
  const result = await drill('healthy', [files, command('without peers', '/bin/false', { prepares: true })])
  expect(result).toMatchObject({
    verdict: 'inconclusive',
    why: expect.stringContaining('could not be prepared') as string,
  })
  expect(result.checks.map(({ title }) => title)).toEqual(['without peers'])
})

it.each([
  ['a corrupted database', 'database', audit, 'audit trail: exit 1'],
  ['a broken hash chain', 'chain', audit, 'audit trail: exit 1'],
  ['a count that is off by 1 %', 'count', null, 'audit trail: counted'],
] as const)('%s fails', async (_, copy, asked, why) => {
  const counted = command('audit trail', '/usr/bin/audit-verify', { count: { expected: rows, tolerance: 0.005 } })
  const result = await drill(copy, [asked ?? counted])
  expect(result).toMatchObject({ verdict: 'failed', rtoSeconds: null, why: expect.stringContaining(why) as string })
})

it.each([
  ['a broken boot sector', 'sector', ''],
  ['no agent', 'healthy', ' rdinit=/bin/sh'],
  ['a boot loop', 'healthy', ' rdinit=/nothing'],
])('%s fails, with a picture of where it stands', async (_, copy, append) => {
  const result = await drill(copy, [files], { append, bootTimeoutMs: 8_000 })
  expect(result).toMatchObject({ verdict: 'failed', why: 'the guest did not answer within 8 s', rtoSeconds: null })
  expect(result.screenshot).toMatch(/^[0-9a-f]{64}$/)
})
