import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { furnish, testCatalog, testNow } from './testing.ts'

/** What triggers keep, and the same counted anew. */
const kept = {
  tallies: `SELECT name, label, value FROM tallies WHERE value <> 0 ORDER BY 1, 2`,
  held: `SELECT * FROM held ORDER BY 1, 2, 3`,
  spans: `SELECT * FROM spans ORDER BY 1`,
  backups_failed: `SELECT * FROM backups_failed ORDER BY 1`,
}
const counted = {
  tallies: `SELECT * FROM (
      SELECT 'points' AS name, '' AS label, count(*) AS value FROM points WHERE gone_ms IS NULL
      UNION ALL SELECT 'runs', '', count(*) FROM runs
      UNION ALL SELECT 'points-of-day', CAST(created_ms / 86400000 AS TEXT), count(*) FROM points GROUP BY 2
      UNION ALL SELECT 'bytes-of-day', CAST(created_ms / 86400000 AS TEXT), sum(new_bytes) FROM points GROUP BY 2
      UNION ALL SELECT 'failed-of-day', CAST(ended_ms / 86400000 AS TEXT), count(*) FROM runs
        WHERE kind = 'backup' AND ended_ms IS NOT NULL AND state IN ('failed', 'terminated') GROUP BY 2
      UNION ALL SELECT 'cancelled-of-day', CAST(ended_ms / 86400000 AS TEXT), count(*) FROM runs
        WHERE kind = 'backup' AND ended_ms IS NOT NULL AND state = 'cancelled' GROUP BY 2
    ) WHERE value <> 0 ORDER BY 1, 2`,
  held: `SELECT repository_id, vm_id, coalesce(source_id, '') AS source_id, count(*) AS points, max(created_ms) AS newest_ms,
      sum(coalesce(stored_bytes, 0)) AS stored_bytes,
      sum(coalesce(verify_level, '') IN ('spot-checked', 'quick', 'data', 'full')) AS verified,
      sum(validated_ms IS NOT NULL AND damaged_ms IS NULL) AS whole,
      max(iif(validated_ms IS NOT NULL AND damaged_ms IS NULL, created_ms, NULL)) AS newest_whole_ms
    FROM copies WHERE state = 'done' AND gone_ms IS NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
  spans: `SELECT vm_id, min(created_ms) AS oldest_ms, max(created_ms) AS newest_ms FROM points WHERE validated_ms IS NOT NULL
    GROUP BY 1 ORDER BY 1`,
  backups_failed: `SELECT vm_id FROM (SELECT vm_id, state, row_number() OVER (PARTITION BY vm_id ORDER BY started_ms DESC, state DESC) AS place
    FROM runs WHERE kind = 'backup' AND ended_ms IS NOT NULL AND vm_id IS NOT NULL)
    WHERE place = 1 AND state IN ('failed', 'terminated') ORDER BY 1`,
}

const day = fc.integer({ min: 0, max: 3 }).map((n) => testNow - n * 86_400_000)
const moment = fc.option(day, { freq: 2 })
const id = fc.integer({ min: 0, max: 3 }).map((n) => n.toString(16).padStart(32, '0'))
const repository = fc.constantFrom('main', 'offsite')
const vm = fc.constantFrom('web-01', 'web-02')
const copyState = fc.constantFrom('pending', 'in-progress', 'done', 'done', 'done', 'failed', 'removed')
const level = fc.constantFrom(null, 'validated', 'quick', 'full')

type Step = readonly [sql: string, ...values: unknown[]]
const point: fc.Arbitrary<Step> = fc.tuple(id, vm, repository, day, fc.nat(9), moment, moment).map(([key, ...rest]) => [
  `INSERT INTO points (id, stem, vm_id, repository_id, created_ms, new_bytes, gone_ms, validated_ms, origin, mode, consistency,
      disks, logical_bytes, read_bytes, refs) VALUES (?, 'snap/' || ?, ?, ?, ?, ?, ?, ?, 'manual', 'full', 'crash', '[]', 1, 1, '[]')
    ON CONFLICT (id) DO UPDATE SET gone_ms = excluded.gone_ms, new_bytes = excluded.new_bytes, created_ms = excluded.created_ms,
      validated_ms = excluded.validated_ms, vm_id = excluded.vm_id`,
  key,
  key,
  ...rest,
])
const copy: fc.Arbitrary<Step> = fc
  .tuple(id, repository, vm, day, fc.constantFrom(null, 'main'), copyState, moment, fc.nat(9), level, moment, moment)
  .map((values) => [
    `INSERT INTO copies (point_id, repository_id, vm_id, created_ms, source_id, state, validated_ms, stored_bytes, verify_level,
        damaged_ms, gone_ms, wanted_ms, attempts, by_hand)
      SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 0 WHERE EXISTS (SELECT 1 FROM points WHERE id = ?)
      ON CONFLICT DO UPDATE SET state = excluded.state, validated_ms = excluded.validated_ms, stored_bytes = excluded.stored_bytes,
        verify_level = excluded.verify_level, damaged_ms = excluded.damaged_ms, gone_ms = excluded.gone_ms,
        source_id = excluded.source_id, vm_id = excluded.vm_id, created_ms = excluded.created_ms`,
    ...values,
    values[0],
  ])
const run: fc.Arbitrary<Step> = fc
  .tuple(
    id,
    fc.constantFrom('backup', 'restore'),
    fc.constantFrom('running', 'completed', 'failed', 'terminated', 'cancelled'),
    day,
    moment,
    fc.option(vm, { freq: 8 }),
  )
  .map((values) => [
    `INSERT INTO runs (run_id, workflow_id, kind, state, title, started_ms, ended_ms, vm_id, resumed_times, residue, requested_user,
        requested_reason, seen_ms) VALUES (?, 'w', ?, ?, 't', ?, ?, ?, 0, '[]', 'u', '', 1)
      ON CONFLICT (run_id) DO UPDATE SET state = excluded.state, ended_ms = excluded.ended_ms, kind = excluded.kind,
        started_ms = excluded.started_ms, vm_id = excluded.vm_id`,
    ...values,
  ])
const removal: fc.Arbitrary<Step> = fc.oneof(
  id.map((key): Step => ['DELETE FROM points WHERE id = ?', key]),
  id.map((key): Step => ['DELETE FROM runs WHERE run_id = ?', key]),
  fc
    .tuple(id, repository)
    .map((keys): Step => ['DELETE FROM copies WHERE point_id = ? AND repository_id = ?', ...keys]),
  vm.map((name): Step => ['UPDATE copies SET damaged_ms = 7, validated_ms = NULL WHERE vm_id = ?', name]),
)

test('what is counted as rows come, change and go is what counting them anew says', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-tallies-'))
  const path = join(folder, 'catalog.db')
  try {
    using here = testCatalog(path)
    furnish(here.catalog, ['web-01', 'web-02'])
    const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
    const offsite = { name: 'offsite', site: 'local', location, credentialRef: 'file:/srv/secrets/offsite' }
    here.catalog.repositories.add(offsite)
    using sqlite = closing(new Database(path))
    const { db } = sqlite
    db.pragma('foreign_keys = ON')
    fc.assert(
      fc.property(
        fc.array(fc.oneof(point, point, copy, copy, copy, run, removal), { minLength: 20, maxLength: 60, size: 'max' }),
        (steps) => {
          db.exec('BEGIN')
          try {
            for (const [text, ...values] of steps) db.prepare(text).run(...values)
            for (const name of ['tallies', 'held', 'spans', 'backups_failed'] as const)
              expect(db.prepare(kept[name]).all()).toEqual(db.prepare(counted[name]).all())
          } finally {
            db.exec('ROLLBACK')
          }
        },
      ),
      { numRuns: 100 },
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

function closing(db: Database.Database): Disposable & { readonly db: Database.Database } {
  return { db, [Symbol.dispose]: () => void db.close() }
}
