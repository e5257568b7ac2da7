/**
 * How long it takes until somebody is told, with `holdfast up` as it is and nothing set to be quicker: the schedule of a plan
 * removed, once and for good; the worker of a site ended; points deleted in a repository; the clock of the server moved. The time
 * is from the deed until the incident is open, which is what alert channels send.
 *
 *   node bench/watchdog.ts
 *
 * About eight minutes, most of them waiting. The clock is that of the server's process (watched-clock.ts).
 */
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client'
import { MiB } from '../base/index.ts'
import { ask, type Schemas } from '../cli/client/index.ts'
import { Installation, waitForCompletion } from '../cli/demo/index.ts'
import { runProgram, spawnSupervised } from '../drivers/transport/index.ts'
import { planScheduleId } from '../workflows/plan/contract.ts'

type Incident = Schemas['Incident']
const minute = 60_000
const longestMs = 15 * minute
const main = fileURLToPath(new URL('../cli/main.ts', import.meta.url))
const hook = new URL('watched-clock.ts', import.meta.url).href
const root = mkdtempSync(join(tmpdir(), 'hf-'))
const clock = join(root, 'clock')
const rows: { readonly what: string; readonly told: string; readonly ms: number }[] = []

function note(what: string, told: string, sinceMs: number): void {
  rows.push({ what, told, ms: performance.now() - sinceMs })
  console.log(`${what}: ${told}, after ${seconds(performance.now() - sinceMs)}`)
}
const seconds = (ms: number): string => `${(ms / 1000).toFixed(0)} s`

async function until<T>(what: string, look: () => Promise<T | undefined>, everyMs = 500): Promise<T> {
  for (const end = performance.now() + longestMs; ; await sleep(everyMs)) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > end) throw new Error(`${what}: nothing after ${seconds(longestMs)}`)
  }
}

async function disk(folder: string, vm: string): Promise<void> {
  mkdirSync(join(folder, vm), { recursive: true })
  const file = join(folder, vm, 'disk0.qcow2')
  await runProgram('qemu-img', ['create', '-q', '-f', 'qcow2', file, String(16 * MiB)])
  await runProgram('qemu-io', ['-f', 'qcow2', '-c', `write -q -P 7 ${MiB} ${4 * MiB}`, file])
}

try {
  const [near, far] = [join(root, 'near'), join(root, 'far')]
  for (const [folder, vm] of [
    [near, 'web'],
    [near, 'db'],
    [far, 'away'],
  ] as const)
    await disk(folder, vm)
  const env = { NODE_OPTIONS: `--import ${hook}`, WATCHED_CLOCK: clock }
  await using at = await Installation.start({ home: join(root, 'h'), env })
  const { api } = at
  const incident = (isIt: (one: Incident) => boolean) => async (): Promise<Incident | undefined> => {
    const query = { state: 'open' as const, limit: 200 }
    return (await ask(api.GET('/incidents', { params: { query } }))).items.find(isIt)
  }
  const image = { platform: 'image', options: {}, credentialRef: '' } as const
  await at.addHypervisor({ ...image, name: 'near', address: near })
  await at.addRepository('main', join(root, 'main'))
  await at.addRepository('second', join(root, 'second'))
  for (const [id, repositoryId] of [
    ['web', 'main'],
    ['db', 'second'],
  ] as const) {
    const body = { repositoryId, tuning: {}, reason: 'bench' }
    const { runId } = await ask(api.POST('/vms/{id}/backups', { params: { path: { id } }, body }))
    await waitForCompletion(api, runId)
  }
  const rpoMs = 2 * minute
  await ask(api.PATCH('/vms/{id}', { params: { path: { id: 'web' } }, body: { override: { rpoMs } } }))
  const plan = 'often'
  const where = [{ field: 'name' as const, is: ['web'] }]
  const targets = [{ repository: 'main', copy: 'backup' as const }]
  const body: Schemas['PlanPut'] = { where, targets, mode: 'incremental', schedule: { kind: 'every', everyMs: minute } }
  await ask(api.PUT('/plans/{id}', { params: { path: { id: plan } }, body }))

  // ── the clock
  const moved = async (ms: number): Promise<void> => {
    writeFileSync(`${clock}.new`, String(ms))
    renameSync(`${clock}.new`, clock)
  }
  for (const [way, ms] of [
    ['forward', 60 * minute],
    ['back', -60 * minute],
  ] as const) {
    const began = performance.now()
    await moved(ms)
    const what = `clock moved ${way} by an hour`
    const { title } = await until(
      what,
      incident((one) => one.kind === 'clock' && one.title.includes(way)),
    )
    note(what, title, began)
  }
  await moved(0)

  // ── a worker
  await at.addHypervisor({ ...image, name: 'far', address: far })
  const temporal = `127.0.0.1:${readFileSync(join(at.home, 'temporal', 'port'), 'utf8').trim()}`
  const log = openSync(join(root, 'worker.log'), 'a')
  const args = ['--disable-warning=ExperimentalWarning', main, 'worker', '--site', 'far']
  const worker = spawnSupervised(process.execPath, args, 'parent', log, {
    ...process.env,
    ...{ HOLDFAST_HOME: at.home, HOLDFAST_URL: at.url, TEMPORAL_ADDRESS: temporal, HOLDFAST_WORKER_NAME: 'mover-far' },
  })
  closeSync(log)
  const site = { params: { path: { name: 'far' } } }
  await ask(api.PATCH('/hypervisors/{id}', { params: { path: { id: 'far' } }, body: { site: 'far' } }))
  await until('the worker of far', async () =>
    (await ask(api.GET('/sites/{name}', site))).workers.length > 0 ? true : undefined,
  )

  // ── the schedule, once: it comes back
  const connection = await Connection.connect({ address: temporal })
  const { schedule } = new Client({ connection })
  const handle = schedule.getHandle(planScheduleId(plan))
  const isThere = async (): Promise<boolean> => {
    try {
      await handle.describe()
      return true
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return false
      throw error
    }
  }
  await until('the schedule', async () => ((await isThere()) ? true : undefined))
  let began = performance.now()
  await handle.delete()
  await until('the schedule is back', async () => ((await isThere()) ? true : undefined))
  note('schedule removed', 'no alarm: the server puts it back', began)

  // ── what lasts, beside each other
  await Promise.all([
    (async () => {
      const what = 'worker of a site ended'
      const since = performance.now()
      worker.kill('SIGKILL')
      const found = await until(
        what,
        incident(({ kind, subject }) => kind === 'no-worker' && subject?.id === 'far'),
      )
      note(what, found.title, since)
    })(),
    (async () => {
      const what = 'repository emptied'
      const since = performance.now()
      renameSync(join(root, 'second', 'snap'), join(root, 'snap'))
      mkdirSync(join(root, 'second', 'snap'))
      const found = await until(
        what,
        incident(({ kind }) => kind === 'points-vanished'),
      )
      note(what, found.title, since)
    })(),
    (async () => {
      const what = `schedule removed again and again, promise of ${rpoMs / minute} minutes`
      began = performance.now()
      const isBroken = incident(
        ({ kind, subject }) => ['overdue', 'failed', 'late'].includes(kind) && subject?.id === 'web',
      )
      const found = await until(
        what,
        async () => {
          if (await isThere()) await handle.delete()
          return isBroken()
        },
        250,
      )
      note(what, found.title, began)
    })(),
  ])
  await connection.close()
  const width = Math.max(...rows.map(({ what }) => what.length))
  console.log(`\n| ${'what was done'.padEnd(width)} | told after | what is told |`)
  console.log(`| ${'-'.repeat(width)} | ---------: | --- |`)
  for (const { what, told, ms } of rows)
    console.log(`| ${what.padEnd(width)} | ${seconds(ms).padStart(10)} | ${told} |`)
} finally {
  rmSync(root, { recursive: true, force: true })
}
