/**
 * What the catalog asks of all copies at once, with a million points of ten thousand VMs in one repository, each copied into
 * a mirror: how long each takes, in CPU time, and what SQLite reads for it.
 *
 *   node bench/catalog.ts [points=1000000] [--plans]
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatBytes } from '../base/index.ts'
import { openCatalog } from '../catalog/index.ts'
import { testNow } from '../catalog/testing.ts'
import { queryPlans, wholeTables } from '../catalog/testing-plans.ts'
import { fillCatalog } from './catalog-fill.ts'

const points = Number(process.argv.find((word) => /^\d+$/.test(word)) ?? 1_000_000)
const showsPlans = process.argv.includes('--plans')
const folder = mkdtempSync(join(tmpdir(), 'hf-bench-catalog-'))
const path = join(folder, 'catalog.db')

try {
  const { vms } = fillCatalog(path, points)
  using catalog = openCatalog({ path, now: () => testNow })
  const pair = { sourceId: 'main', targetId: 'offsite' }
  const asked: readonly (readonly [string, () => unknown])[] = [
    ['repositories: one', () => catalog.repositories.get('main')],
    ['repositories: list', () => catalog.repositories.list({ limit: 50 })],
    ['repositories: consumption', () => catalog.repositories.consumption('main', 20)],
    ['mirrors: states', () => catalog.mirrors.states()],
    ['mirrors: lags', () => catalog.mirrors.lags()],
    ['mirrors: lags of one VM', () => catalog.mirrors.lags('vm-7')],
    ['mirrors: damaged are wanted', () => catalog.mirrors.wantBack()],
    ['mirrors: due', () => catalog.mirrors.due(testNow)],
    ['mirrors: in hand of a run', () => catalog.mirrors.wasInHand(pair, 'nobody')],
    ['copies: damaged', () => catalog.copies.damaged()],
    ['sweeps: needed elsewhere', () => catalog.retained.neededElsewhere('main')],
    ['sweeps: being read', () => catalog.retained.beingRead()],
    ['metrics: newest points', () => catalog.metrics.newestPoints()],
    ['metrics: verified', () => catalog.metrics.verified()],
  ]
  console.log(`${points} points of ${vms} VMs, ${2 * points} copies, ${formatBytes(statSync(path).size)}`)
  let scans = 0
  for (const [name, ask] of asked) {
    const plans = queryPlans(path, () => void ask())
    const times = Array.from({ length: 5 }, () => {
      const began = process.cpuUsage()
      ask()
      const { user, system } = process.cpuUsage(began)
      return (user + system) / 1000
    }).sort((a, b) => a - b)
    const whole = wholeTables(plans)
    scans += whole.length
    console.log(`${name.padEnd(30)} ${(times[2] ?? 0).toFixed(1).padStart(9)} ms  ${whole.join('; ')}`)
    if (showsPlans) for (const steps of plans.values()) for (const step of steps) console.log(`    ${step}`)
  }
  console.log(scans === 0 ? 'no table is read as a whole' : `${scans} times a whole table is read`)
} finally {
  rmSync(folder, { recursive: true })
}
