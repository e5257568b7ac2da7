import Database from 'better-sqlite3'
import type { NewDrill } from './drills.ts'
import { migrate } from './migrate.ts'
import { openCatalog, type Catalog } from './open.ts'
import type { NewPoint } from './points.ts'
import type { StartedRun } from './runs.ts'
import type { VerifyFigures } from './verify-runs.ts'
import type { DiscoveredVm } from './vms.ts'

/** Material for tests: a catalog in memory with a clock that the test moves. */
export interface TestCatalog extends Disposable {
  readonly catalog: Catalog
  readonly clock: { ms: number }
}

/** Saturday 21 November 2026, 07:36:40 in Europe/Paris. */
export const testNow = Date.UTC(2026, 10, 21, 6, 36, 40)

/** An empty catalog: the migrations take longer than most tests, so they run once. */
let empty: Buffer | undefined

export function testCatalog(path?: string): TestCatalog {
  const clock = { ms: testNow }
  const catalog = openCatalog({ path: path ?? (empty ??= migrated()), now: () => clock.ms })
  return { catalog, clock, [Symbol.dispose]: () => catalog.close() }
}

function migrated(): Buffer {
  const sqlite = new Database(':memory:')
  migrate(sqlite, testNow)
  const bytes = sqlite.serialize()
  sqlite.close()
  return bytes
}

export function aVm(name: string, over: Partial<DiscoveredVm> = {}): DiscoveredVm {
  return {
    vm: { scope: 'scope-1', id: `uuid-${name}`, name },
    power: 'running',
    tags: ['lab'],
    disks: [
      { key: 'virtio0', label: 'system', size: 2 ** 31, format: 'qcow2', role: 'boot', skip: null },
      { key: 'virtio1', label: 'data', size: 2 ** 30, format: 'raw', role: 'data', skip: null },
    ],
    guest: { agent: 'running', os: 'Debian 13' },
    foreignSnapshots: 0,
    owner: null,
    findings: [],
    ...over,
  }
}

/** One hypervisor `lab` with these VMs, and the repository `main`. */
export function furnish(catalog: Catalog, names: readonly string[] = ['web-01']): void {
  catalog.endpoints.add({
    name: 'lab',
    platform: 'qemu',
    address: '/srv/lab',
    site: 'local',
    credentialRef: '',
    options: {},
  })
  catalog.vms.recordDiscovered(
    'lab',
    'listing-1',
    names.map((name) => aVm(name)),
  )
  catalog.repositories.add({
    name: 'main',
    site: 'local',
    location: { kind: 'posix', path: '/srv/repository' },
    credentialRef: 'file:/srv/secrets/main',
  })
}

/** The n-th point id. */
export function pointIdOf(n: number): string {
  return n.toString(16).padStart(32, '0')
}

export function aPoint(n: number, over: Partial<NewPoint> = {}): NewPoint {
  return {
    id: pointIdOf(n),
    stem: `snap/${'a'.repeat(32)}/${'0'.repeat(16)}-${pointIdOf(n)}`,
    vmId: 'web-01',
    repositoryId: 'main',
    parentId: null,
    createdMs: testNow - 3_600_000,
    validatedMs: testNow - 3_500_000,
    origin: 'manual',
    name: null,
    description: null,
    consistency: 'filesystem',
    freezeDurationMs: 126,
    disks: [
      {
        disk: 'virtio0',
        label: 'system',
        size: 2 ** 31,
        mode: 'full',
        why: 'no-parent',
        readBytes: 900,
        newBytes: 300,
        bytesResumed: 0,
        attempts: 1,
      },
      {
        disk: 'virtio1',
        label: 'data',
        size: 2 ** 30,
        mode: 'full',
        why: 'no-parent',
        readBytes: 100,
        newBytes: 50,
        bytesResumed: 0,
        attempts: 1,
      },
    ],
    spotCheckedChunks: 16,
    manifestBytes: 4096,
    refs: [],
    workflowId: 'backup/web-01',
    runId: `run-${n}`,
    ...over,
  }
}

export function aRun(n: number, over: Partial<StartedRun> = {}): StartedRun {
  return {
    workflowId: 'backup/web-01',
    runId: `run-${n}`,
    kind: 'backup',
    title: 'Backup of web-01',
    vmId: 'web-01',
    repositoryId: 'main',
    pointId: null,
    startedMs: testNow - 60_000 + n,
    requestedUser: 'operator',
    requestedReason: '',
    idempotencyKey: null,
    ...over,
  }
}

/** One that passed, of web-01 and its first point. */
export function aDrill(time: string, over: Partial<NewDrill> = {}): NewDrill {
  return {
    vmId: 'web-01',
    pointId: pointIdOf(1),
    repositoryId: 'main',
    verdict: 'passed',
    why: 'all checks passed',
    startedMs: testNow - 300_000,
    endedMs: testNow - 60_000,
    rtoSeconds: 42.5,
    restoreSeconds: 20,
    bootSeconds: 12.25,
    checks: [{ title: 'audit verify', passed: true, exit: 0, out: 'ok', err: '', count: null, detail: '' }],
    screenshot: null,
    workflowId: `drill/web-01/${time}`,
    runId: `drill-run-${time}`,
    ...over,
  }
}

/** What a verify of nine points came to that found nothing. */
export function someFigures(over: Partial<VerifyFigures> = {}): VerifyFigures {
  return {
    points: 9,
    packs: 12,
    packsResumed: 0,
    chunks: 400,
    bytes: 2 ** 20,
    damages: 0,
    unreadable: 0,
    quarantined: 0,
    damagedPoints: 0,
    unreadablePoints: 0,
    mendedPoints: 0,
    notes: [],
    notesLeft: 0,
    endedMs: testNow + 5,
    ...over,
  }
}
