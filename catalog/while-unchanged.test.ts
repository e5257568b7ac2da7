import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { whileUnchanged } from './while-unchanged.ts'

const steps = [
  'insert',
  'update',
  'replace',
  'delete',
  'elsewhere',
  'rolled back',
  'inside',
  'trigger',
  'nothing',
] as const

test('what is kept is what is read anew, whoever has written, and whatever was rolled back', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-unchanged-'))
  const path = join(folder, 'c.db')
  const own = new Database(path)
  own.pragma('journal_mode = WAL')
  own.pragma('synchronous = OFF')
  own.exec(`CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER); CREATE TABLE u (a INTEGER, b INTEGER);
    CREATE TRIGGER t_u AFTER INSERT ON u BEGIN UPDATE t SET b = b + new.b WHERE a = new.a; END;`)
  const other = new Database(path)
  const read = (above: number): unknown[] => own.prepare('SELECT * FROM t WHERE a > ? ORDER BY a').all(above)
  let asked = 0
  const kept = whileUnchanged({ sqlite: own }, (above: number) => {
    asked += 1
    return read(above)
  })
  const agrees = (): void => {
    for (const above of [0, 2]) expect(kept(above)).toEqual(read(above))
  }
  const put = 'INSERT OR REPLACE INTO t VALUES (?, ?)'
  const work: { readonly [step in (typeof steps)[number]]: (a: number, b: number) => unknown } = {
    insert: (a, b) => own.prepare('INSERT OR IGNORE INTO t VALUES (?, ?)').run(a, b),
    update: (a, b) => own.prepare('UPDATE t SET b = ? WHERE a = ?').run(b, a),
    replace: (a, b) => own.prepare(put).run(a, b),
    delete: (a, b) => (b === 0 ? own.exec('DELETE FROM t') : own.prepare('DELETE FROM t WHERE a = ?').run(a)),
    elsewhere: (a, b) => other.prepare(put).run(a, b),
    'rolled back': (a, b) => {
      own.exec('BEGIN')
      own.prepare(put).run(a, b)
      agrees()
      own.exec('ROLLBACK')
    },
    inside: (a, b) => {
      own.exec('BEGIN')
      agrees()
      own.prepare(put).run(a, b)
      agrees()
      own.exec('COMMIT')
    },
    trigger: (a, b) => own.prepare('INSERT INTO u VALUES (?, ?)').run(a, b),
    nothing: () => undefined,
  }
  try {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...steps), fc.nat(4), fc.nat(3)), { minLength: 1, maxLength: 12 }),
        (all) => {
          for (const [step, a, b] of all) {
            work[step](a, b)
            agrees()
          }
        },
      ),
      { numRuns: 150 },
    )
    asked = 0
    for (let n = 0; n < 10; n += 1) agrees()
    // It keeps at all.
    expect(asked).toBe(0)
  } finally {
    own.close()
    other.close()
    rmSync(folder, { recursive: true })
  }
})

test('a list that somebody empties is whole for the next one', () => {
  using sqlite = Object.assign(new Database(':memory:'), {
    [Symbol.dispose]() {
      sqlite.close()
    },
  })
  const kept = whileUnchanged({ sqlite }, () => [1, 2])
  kept().length = 0
  expect(kept()).toEqual([1, 2])
})
