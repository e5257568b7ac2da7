/**
 * The control plane of a large installation: `holdfast up` on a catalog of 10,000 VMs with a million points, each in two
 * repositories, and 200,000 runs. Median and worst time of the dashboard's requests, over HTTP, and what the server's
 * process held at most, from the kernel. The repositories are not there: this is the control plane alone.
 *
 *   node bench/control-plane.ts [points=1000000]
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatBytes } from '../base/index.ts'
import { Installation } from '../cli/demo/index.ts'
import { homeOf } from '../server/index.ts'
import { fillCatalog } from './catalog-fill.ts'

const ROUNDS = 15
const points = Number(process.argv[2] ?? 1_000_000)
const root = mkdtempSync(join(tmpdir(), 'hf-'))

/** With the bars: lists 50 ms, the overview 200 ms. */
const asked = [
  ['overview', 200],
  ['vms?limit=50', 50],
  ['vms?limit=50&search=vm-77', 50],
  ['vms/vm-7', 50],
  ['vms/vm-7/points?limit=50', 50],
  ['vms/vm-7/runs?limit=50', 50],
  ['points?limit=50', 50],
  ['runs?limit=50', 50],
  ['runs?limit=50&state=failed', 50],
  ['repositories?limit=50', 50],
  ['repositories/main', 50],
  ['mirrors', 50],
  ['plans', 50],
  ['categories', 50],
  ['incidents?limit=50', 50],
  ['drills?limit=50', 50],
  ['drills/agenda?limit=50', 50],
  ['capacity', 50],
] as const

try {
  const home = homeOf({ HOLDFAST_HOME: root })
  // Its first start makes the catalog its own.
  await (await Installation.start({ home: root })).stop()
  const { vms } = fillCatalog(home.catalog, points)
  console.log(`${points} points of ${vms} VMs, ${2 * points} copies, ${formatBytes(statSync(home.catalog).size)}`)
  await using at = await Installation.start({ home: root })
  const token = readFileSync(join(home.secrets, 'admin-token'), 'utf8').trim()
  const headers = { authorization: `Bearer ${token}` }
  const pid = at.pid('server')
  console.log(`server at rest: ${rss(pid)}`)
  let over = 0
  for (const [path, bar] of asked) {
    const times: number[] = []
    let bytes = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      const began = performance.now()
      const answer = await fetch(`${at.url}/api/v1/${path}`, { headers }).catch((error: unknown) => {
        console.log(`${path} was cut off after ${((performance.now() - began) / 1000).toFixed(1)} s`)
        console.log(at.pid('server') === pid ? 'by the server that was there before' : 'the server was started again')
        console.log(lastOf(join(home.logs, 'server.log')), lastOf(join(home.logs, 'server.out.log')))
        throw error
      })
      bytes = (await answer.text()).length
      times.push(performance.now() - began)
      if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
      await sleep(20)
    }
    times.sort((a, b) => a - b)
    const median = times[ROUNDS >> 1] ?? 0
    if (median > bar) over += 1
    const mark = median > bar ? `  over ${bar} ms` : ''
    console.log(
      `${path.padEnd(34)} ${median.toFixed(1).padStart(8)} ms, at most ${(times.at(-1) ?? 0).toFixed(0).padStart(5)} ms, ${formatBytes(bytes)}${mark}`,
    )
  }
  console.log(`server afterwards: ${rss(at.pid('server'))}${at.pid('server') === pid ? '' : ', another process'}`)
  console.log(over === 0 ? 'every answer within its bar' : `${over} answers over their bar`)
} finally {
  rmSync(root, { recursive: true, force: true })
}

/** What a process said last. */
function lastOf(log: string): string {
  return existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(-12).join('\n') : ''
}

/** Of a process, now and at most, as the kernel counts it. */
function rss(pid: number): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const of = (key: string): string =>
    formatBytes(1024 * Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1]))
  return `${of('VmRSS')}, at most ${of('VmHWM')}`
}
