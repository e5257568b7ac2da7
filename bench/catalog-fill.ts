import Database from 'better-sqlite3'
import { openCatalog } from '../catalog/index.ts'
import { furnish, testNow } from '../catalog/testing.ts'
import { planDefaults } from '../policy/index.ts'

/**
 * Makes the catalog of a large installation, by SQL: a hundred points of each VM, an hour apart, each with the run that
 * made it and with a copy in a mirror, of which one in a thousand is damaged there or still to be copied; and three plans.
 */
export function fillCatalog(path: string, points: number): { readonly vms: number } {
  const vms = Math.max(1, Math.round(points / 100))
  {
    using catalog = openCatalog({ path, now: () => testNow })
    furnish(catalog, ['web-01'])
    const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
    catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/srv/secrets/offsite' })
    const targets = [{ repository: 'main', copy: 'backup', keep: null }] as const
    // Started by hand alone: nothing runs while something is measured.
    const plan = { ...planDefaults, targets }
    catalog.plans.put({ ...plan, name: 'all' }, 0)
    catalog.plans.put({ ...plan, name: 'some', where: [{ field: 'name', is: ['vm-7*'] }] }, 0)
    catalog.plans.put({ ...plan, name: 'none', where: [{ field: 'tag', is: ['nightly'] }] }, 0)
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
    INSERT INTO runs (run_id, workflow_id, kind, state, title, vm_id, repository_id, point_id, started_ms, ended_ms, resumed_times,
        residue, requested_user, requested_reason, seen_ms)
      SELECT printf('01a00000-0000-7000-8000-%012x', rowid), 'backup/' || vm_id || '/' || id, 'backup',
        iif(rowid % 500 = 0, 'failed', 'completed'), 'Backup ' || vm_id, vm_id, 'main', id, created_ms, created_ms + 60000, 0,
        '[]', 'scheduler', 'plan', created_ms FROM points WHERE rowid <= ${Math.ceil(points / 5)};
    COMMIT;`)
  sqlite.close()
  return { vms }
}
