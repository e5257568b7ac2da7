/**
 * The machine is gone; one repository and its recovery key are there. Times what an operator does then, with the processes
 * an operator starts: `holdfast rebuild` into an empty HOLDFAST_HOME, `holdfast up`, the plan's schedule in the new
 * Temporal, and the next scheduled backup, which must be incremental. First from the manifests alone, then with the
 * catalog that the repository holds: points of twenty VMs, a run with its history for each of them, plans, categories.
 *
 *   node bench/own-recovery.ts [points=10 1000]
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { formatBytes, locationText } from '../base/index.ts'
import { ask, type ApiClient } from '../cli/client/index.ts'
import { Installation, waitForCompletion } from '../cli/demo/index.ts'
import { runProgram } from '../drivers/transport/index.ts'
import { createRepository, openRepository } from '../repository/index.ts'
import { putPoint } from './recovery-points.ts'

const VMS = 20
const main = fileURLToPath(new URL('../cli/main.ts', import.meta.url))
const passphrase = 'a passphrase for a measurement'
const { signal } = new AbortController()
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** What is asked of the server comes true, or the measurement fails. */
async function until<T>(what: string, look: () => Promise<T | undefined>, withinMs = 180_000): Promise<T> {
  const lateMs = Date.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > lateMs) throw new Error(`not within ${seconds(withinMs)}: ${what}`)
    await sleep(50)
  }
}

function expect(what: string, is: unknown, wanted: unknown): void {
  if (JSON.stringify(is) !== JSON.stringify(wanted))
    throw new Error(`${what}: ${JSON.stringify(is)} instead of ${JSON.stringify(wanted)}`)
}

/** Milliseconds of the whole process, as its caller sees them. Ends with 3 where secrets are to be put back. */
async function rebuilt(home: string, ...options: string[]): Promise<{ ms: number; missing: readonly string[] }> {
  const beganMs = performance.now()
  const args = ['--disable-warning=ExperimentalWarning', main, 'rebuild', ...options, '--json']
  const child = spawn(process.execPath, args, {
    env: { ...process.env, HOLDFAST_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [answer, said] = ['', '']
  child.stdout.on('data', (piece: Buffer) => (answer += piece.toString()))
  child.stderr.on('data', (piece: Buffer) => (said += piece.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  if (code !== 0 && code !== 3) throw new Error(`holdfast rebuild ended with ${code}: ${said}`)
  const { missing } = JSON.parse(answer) as { missing: { ref: string }[] }
  return { ms: performance.now() - beganMs, missing: missing.map(({ ref }) => ref) }
}

/** A run and its history for each point, copies of a real one. */
function giveRuns(catalog: string, run: string): { readonly runs: number; readonly bytes: number } {
  const sqlite = new Database(catalog)
  try {
    const points = sqlite.prepare(`SELECT id, vm_id AS vm, created_ms AS ms FROM points WHERE vm_id LIKE 'vm-%'`).all()
    const copy = (table: string, changed: readonly string[]): Database.Statement => {
      const columns = sqlite.pragma(`table_info(${table})`) as { name: string }[]
      const from = columns.map(({ name }) => (changed.includes(name) ? `@${name}` : name))
      return sqlite.prepare(`INSERT INTO ${table} SELECT ${from.join(', ')} FROM ${table} WHERE run_id = @of`)
    }
    const runs = copy('runs', ['run_id', 'workflow_id', 'vm_id', 'point_id', 'started_ms', 'ended_ms'])
    const histories = copy('histories', ['run_id', 'workflow_id'])
    sqlite.transaction(() => {
      for (const point of points as { id: string; vm: string; ms: number }[]) {
        const ids = { of: run, run_id: randomUUID(), workflow_id: `backup/${point.vm}/${point.id}` }
        runs.run({ ...ids, vm_id: point.vm, point_id: point.id, started_ms: point.ms - 60_000, ended_ms: point.ms })
        histories.run(ids)
      }
    })()
    const { bytes } = sqlite.prepare('SELECT sum(length(content)) AS bytes FROM histories').get() as { bytes: number }
    return { runs: points.length, bytes }
  } finally {
    sqlite.close()
  }
}

/** A plan of one VM that starts each minute. */
async function putPlan(api: ApiClient, repository: string, over: { paused: boolean; revision: number }): Promise<void> {
  const plan = {
    where: [{ field: 'name', is: ['web'] }],
    timeZone: 'Europe/Paris',
    schedule: { kind: 'every', everyMs: 60_000 },
    targets: [{ repository, copy: 'backup', keep: { daily: 7 } }],
  }
  await ask(api.PUT('/plans/{id}', { params: { path: { id: 'often' } }, body: { ...plan, ...over } as never }))
}

async function backUp(api: ApiClient, repositoryId: string): Promise<string> {
  const { runId } = await ask(
    api.POST('/vms/{id}/backups', { params: { path: { id: 'web' } }, body: { repositoryId } as never }),
  )
  await waitForCompletion(api, runId)
  return runId
}

const pointsOf = async (api: ApiClient, vm: string, limit: number) =>
  (await ask(api.GET('/vms/{id}/points', { params: { path: { id: vm }, query: { limit } } }))).items

/** Whether Temporal starts the plan as the catalog says. */
const scheduled = (api: ApiClient) => async (): Promise<true | undefined> => {
  const { items } = await ask(api.GET('/schedules', { params: { query: { limit: 9 } } }))
  return items.some(({ plan, engine }) => plan === 'often' && engine.state === 'as-wanted') ? true : undefined
}

interface Lost {
  readonly catalogBytes: number
  readonly oldRun: string
  /** As a rebuild from manifests named it. */
  readonly repository: string
}

/** A home rebuilt from manifests becomes an installation with plans, runs, histories and its catalog in the repository. */
async function furnish(home: string, images: string): Promise<Lost> {
  const web = join(images, 'web')
  mkdirSync(web, { recursive: true })
  await runProgram('qemu-img', ['create', '-f', 'qcow2', join(web, 'disk0.qcow2'), '25165824'])
  const catalog = join(home, 'catalog.db')
  let run: string
  let repository: string
  {
    await using at = await Installation.start({ home })
    const scope = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'
    await at.addHypervisor({ name: 'files', platform: 'image', address: images, options: { scope } })
    const { items } = await ask(at.api.GET('/repositories', { params: { query: { limit: 9 } } }))
    repository = items[0]?.id ?? ''
    run = await backUp(at.api, repository)
    // Paused, so that it makes no point before it has to.
    await putPlan(at.api, repository, { paused: true, revision: 0 })
    await until('the history of the run in the catalog', async () => {
      const sqlite = new Database(catalog, { readonly: true })
      const found = sqlite.prepare('SELECT 1 FROM histories WHERE run_id = ?').get(run)
      sqlite.close()
      return found === undefined ? undefined : true
    })
  }
  const { runs, bytes } = giveRuns(catalog, run)
  console.log(`  ${runs} runs with histories of ${formatBytes(bytes)}, catalog ${formatBytes(statSync(catalog).size)}`)
  const at = await Installation.start({ home })
  try {
    const made = await ask(at.api.POST('/repositories/{id}/own-backup', { params: { path: { id: repository } } }))
    expect('the catalog in the repository', made.state, 'ok')
  } finally {
    await at.crash()
  }
  return { catalogBytes: statSync(catalog).size, oldRun: run, repository }
}

async function measure(points: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hf-'))
  try {
    const location = { kind: 'posix', path: join(folder, 'repository') } as const
    const { recoveryKey } = await createRepository({ location, passphrase })
    {
      const secret = { kind: 'recovery', text: recoveryKey } as const
      await using repository = await openRepository({ location, secret, cacheDir: join(folder, 'cache') })
      const firstMs = Date.now() - points * 60_000
      for (let n = 0; n < points; n += 1)
        await putPoint(repository, { vm: `vm-${n % VMS}`, createdMs: firstMs + n * 60_000 }, signal)
    }
    const [pass, key] = [join(folder, 'pass'), join(folder, 'recovery.key')]
    writeFileSync(pass, `${passphrase}\n`, { mode: 0o600 })
    writeFileSync(key, `${recoveryKey}\n`, { mode: 0o600 })
    const place = locationText(location)
    const home = join(folder, 'h')

    console.log(`${points} points of ${Math.min(points, VMS)} VMs in ${place}`)
    const { ms } = await rebuilt(home, '--repository', place, '--passphrase-file', pass)
    console.log(`  rebuild from the manifests alone   ${seconds(ms)}`)
    const { catalogBytes, oldRun, repository } = await furnish(home, join(folder, 'vms'))
    rmSync(home, { recursive: true })

    const { ms: dryMs } = await rebuilt(home, '--repository', place, '--recovery-key-file', key, '--dry-run')
    const { ms: rebuildMs, missing } = await rebuilt(home, '--repository', place, '--recovery-key-file', key)
    console.log(`  rebuild --dry-run with the catalog  ${seconds(dryMs)} (${formatBytes(catalogBytes)})`)
    console.log(`  rebuild with the catalog            ${seconds(rebuildMs)}`)
    // What the report asks for.
    for (const ref of missing) writeFileSync(ref.slice('file:'.length), `${passphrase}\n`, { mode: 0o600 })

    const beganMs = performance.now()
    const since = (): string => seconds(performance.now() - beganMs)
    await using at = await Installation.start({ home })
    console.log(`  holdfast up: answers, mover there   ${since()}`)
    const { api } = at
    const plan = await ask(api.GET('/plans/{id}', { params: { path: { id: 'often' } } }))
    expect('VMs of the plan', plan.vms, 1)
    const counted = await Promise.all(
      Array.from({ length: Math.min(points, VMS) }, async (_, n) => (await pointsOf(api, `vm-${n}`, 200)).length),
    )
    expect(
      'points',
      counted.reduce((sum, one) => sum + one, 0),
      points,
    )
    const book = await ask(api.GET('/runs/{run}/runbook', { params: { path: { run: oldRun } } }))
    console.log(
      `  VMs, plan, points, archived run     ${since()} (${JSON.stringify(book).length} characters of runbook)`,
    )
    const before = (await pointsOf(api, 'web', 9)).length
    await putPlan(api, repository, { paused: false, revision: plan.revision })
    await until('the schedule in Temporal', scheduled(api))
    console.log(`  the plan’s schedule in Temporal     ${since()}`)
    const made = await until('a point by the plan', async () => {
      const now = await pointsOf(api, 'web', 9)
      return now.length > before ? now[0] : undefined
    })
    const { disks } = await ask(api.GET('/points/{id}', { params: { path: { id: made.id } } }))
    console.log(
      `  the next scheduled point            ${since()}: ${disks.map(({ mode, why }) => `${mode} ${why}`).join()}`,
    )
    expect(
      'how the next point was made',
      disks.map(({ mode }) => mode),
      ['incremental'],
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const wanted = process.argv.slice(2).map(Number)
for (const points of wanted.length > 0 ? wanted : [10, 1000]) await measure(points)
