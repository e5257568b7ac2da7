/**
 * What the catalog asks of all copies at once, with a million points of ten thousand VMs in one repository, each copied into
 * a mirror: how long each takes, in CPU time, and what SQLite reads for it.
 *
 *   node bench/catalog.ts [points=1000000] [--plans]
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { formatBytes } from '../base/index.ts'
import { openCatalog } from '../catalog/index.ts'
import { furnish, testNow } from '../catalog/testing.ts'
import { queryPlans, wholeTables } from '../catalog/testing-plans.ts'

const points = Number(process.argv.find((word) => /^\d+$/.test(word)) ?? 1_000_000)
const showsPlans = process.argv.includes('--plans')
const vms = Math.max(1, Math.round(points / 100))
const folder = mkdtempSync(join(tmpdir(), 'hf-bench-catalog-'))
const path = join(folder, 'catalog.db')

try {
  fill()
  using catalog = openCatalog({ path, now: () => testNow })
  const pair = { sourceId: 'main', targetId: 'offsite' }
  const asked: readonly (readonly [string, () => unknown])[] = [
    ['repositories: one', () => catalog.repositories.get('main')],
    ['repositories: list', () => catalog.repositories.list({ limit: 50 })],
    ['repositories: consumption', () => catalog.repositories.consumption('main', 20)],
    ['mirrors: states', () => catalog.mirrors.states()],
    ['mirrors: lags', () => catalog.mirrors.lags(50)],
    ['mirrors: lags of one VM', () => catalog.mirrors.lags(50, 'vm-7')],
    ['mirrors: damaged are wanted', () => catalog.mirrors.wantDamaged()],
    ['mirrors: due', () => catalog.mirrors.due(testNow)],
    ['mirrors: in hand of a run', () => catalog.mirrors.wasInHand(pair, 'nobody')],
    ['copies: damaged', () => catalog.copies.damaged(50)],
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

/** By SQL: a hundred points of each VM, an hour apart, one in a thousand damaged in the mirror or still to be copied. */
function fill(): void {
  {
    using catalog = openCatalog({ path, now: () => testNow })
    furnish(catalog, ['web-01'])
    const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
    catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/srv/secrets/offsite' })
  }
  const sqlite = new Database(path)
  const disks = JSON.stringify([{ disk: 'virtio0', label: 'system', size: 2 ** 31, mode: 'incremental', why: '' }])
  sqlite.pragma('synchronous = OFF')
  sqlite.exec(`
    BEGIN;
    CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${points}) SELECT i FROM n;
    INSERT INTO vms (id, endpoint_id, scope, external_id, name, power, tags, disks, size_bytes, guest_agent, foreign_snapshots,
        findings, category, drill_checks, created_ms, listing, seen_ms)
      SELECT 'vm-' || i, 'lab', 's', 'x-' || i, 'vm-' || i, 'running', '[]', '[]', 1, 'absent', 0, '[]', 'standard', '[]', 1, 'l', 1
      FROM n WHERE i < ${vms};
    INSERT INTO points (id, stem, vm_id, repository_id, created_ms, validated_ms, origin, mode, consistency, disks, logical_bytes,
        read_bytes, new_bytes, verify_level, verified_ms, refs)
      SELECT printf('%032x', i), printf('snap/%032x/%016x-%032x', i % ${vms}, 1000000 - i / ${vms}, i), 'vm-' || (i % ${vms}), 'main',
        ${testNow} - 3600000 * (i / ${vms}) - i % 3600000, ${testNow} - 3600000 * (i / ${vms}), 'scheduled', 'incremental', 'filesystem',
        '${disks}', 2147483648, 1000000, 500000, 'quick', ${testNow}, '[]' FROM n;
    INSERT INTO copies (point_id, repository_id, vm_id, created_ms, stem, state, wanted_ms, validated_ms, stored_bytes, verify_level,
        verified_ms, attempts, by_hand)
      SELECT id, 'main', vm_id, created_ms, stem, 'done', created_ms, validated_ms, 500000, 'quick', ${testNow}, 1, 0 FROM points;
    INSERT INTO copies (point_id, repository_id, vm_id, created_ms, source_id, stem, state, wanted_ms, validated_ms, stored_bytes,
        verify_level, verified_ms, damaged_ms, attempts, by_hand)
      SELECT id, 'offsite', vm_id, created_ms, 'main', stem, iif(rowid % 1000 = 1, 'pending', 'done'), created_ms,
        iif(rowid % 1000 IN (1, 2), NULL, validated_ms), 500000, 'validated', ${testNow}, iif(rowid % 1000 = 2, ${testNow}, NULL), 1, 0
      FROM points;
    COMMIT;`)
  sqlite.close()
}
