/**
 * The server dies by kill -9 while it writes its own catalog into a repository: while the copy is made, while it is on its
 * way, and while it becomes a point. The oracle: no version is listed that is not whole, the copy is made by itself once the
 * server is back, and a rebuild takes the last whole one.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { ask, type Schemas } from '../../cli/client/index.ts'
import { Installation, type NewRepository } from '../../cli/demo/index.ts'
import { catalogVm, openRepository, readCatalog } from '../../repository/index.ts'
import { seededBytes } from '../../repository/testing/index.ts'
import { homeOf } from '../../server/index.ts'

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
let folder: string
let at: Installation
let made: NewRepository
let uuid: string
const home = (): string => join(folder, 'h')

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hf-'))
  mkdirSync(home())
  at = await Installation.start({ home: home() })
  made = await at.addRepository('main', join(folder, 'repository'))
  uuid = (await ask(at.api.GET('/session', {}))).installation.id
  await at.stop()
  // So that each step of the way takes long enough to be hit. Nothing of it compresses.
  using catalog = disposable(new Database(homeOf({ HOLDFAST_HOME: home() }).catalog))
  catalog.db.exec('CREATE TABLE ballast (bytes BLOB NOT NULL)')
  const add = catalog.db.prepare('INSERT INTO ballast VALUES (?)')
  for (let n = 0; n < 48; n += 1) add.run(Buffer.from(seededBytes(n + 1, MiB)))
})
beforeAll(async () => {
  at = await Installation.start({ home: home() })
})
afterAll(async () => {
  await at?.stop()
  if (folder) rmSync(folder, { recursive: true, force: true })
})

const disposable = (db: Database.Database) => ({ db, [Symbol.dispose]: () => void db.close() })
const id = { params: { path: { id: 'main' } } }
const filesBelow = (path: string): string[] =>
  existsSync(path) ? readdirSync(path, { recursive: true, encoding: 'utf8' }).sort() : []

async function own(): Promise<Schemas['OwnBackup']> {
  const { items } = await ask(at.api.GET('/own-backups', {}))
  const [row] = items
  if (row === undefined) throw new Error('there is no repository')
  return row
}

/** Each version that a repository lists, read back through all checks, and what it says of the installation. */
async function versions(): Promise<{ readonly stem: string; readonly notes: readonly string[] }[]> {
  await using repository = await openRepository({
    location: { kind: 'posix', path: made.path },
    secret: { kind: 'passphrase', passphrase: made.passphrase },
    cacheDir: join(folder, 'cache'),
    threads: 1,
  })
  const found = []
  for await (const { stem, state } of repository.listPoints({ series: repository.series(catalogVm(uuid)) })) {
    if (state !== 'recovery-point') continue
    await using point = await repository.openPoint(stem)
    const pieces: Uint8Array[] = []
    for await (const piece of readCatalog(point)) pieces.push(piece)
    using copy = disposable(new Database(Buffer.concat(pieces)))
    expect(copy.db.pragma('integrity_check', { simple: true })).toBe('ok')
    const names = copy.db.prepare('SELECT name FROM plans ORDER BY name').pluck().all() as string[]
    found.push({ stem, notes: names })
  }
  return found
}

async function rebuild(...args: string[]): Promise<{ readonly code: number | null; readonly out: string }> {
  const key = join(folder, 'recovery.key')
  writeFileSync(key, `${made.recoveryKey}\n`, { mode: 0o600 })
  const empty = mkdtempSync(join(folder, 'e'))
  const open = ['rebuild', '--repository', made.path, '--recovery-key-file', key, '--json', ...args]
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...open], {
    env: { ...process.env, HOLDFAST_HOME: empty },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { code, out }
}

async function until<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  everyMs: number,
): Promise<T> {
  for (const deadline = Date.now() + 240_000; ; await sleep(everyMs)) {
    // A server that was killed answers nothing for a while.
    const [seen] = await Promise.allSettled([Promise.resolve().then(probe)])
    if (seen.status === 'fulfilled' && seen.value) return seen.value
    if (Date.now() > deadline) throw new Error(`${what} did not come`)
  }
}

/** A plan that nobody starts: what each version is told from the others by. */
async function note(name: string): Promise<void> {
  const body = { where: [], targets: [{ repository: 'main', copy: 'backup' as const }], paused: true }
  await ask(at.api.PUT('/plans/{id}', { params: { path: { id: name } }, body }))
}

const copies = (): string => homeOf({ HOLDFAST_HOME: home() }).catalogCopies
const grown = (part: string) => {
  const before = new Set(filesBelow(join(made.path, part)))
  return () => filesBelow(join(made.path, part)).some((name) => !before.has(name))
}

/** What is to be seen when the server is killed. */
const moments = [
  ['made', () => () => filesBelow(copies()).length > 0],
  ['sent', () => grown('pack')],
  ['committed', () => grown('snap')],
] as const

test.each(moments)(
  'killed while the copy is %s: nothing half counts, and it is made again by itself',
  async (name, seen) => {
    const before = await own()
    const known = (await versions()).map(({ stem }) => stem)
    await note(`change-${name}`)
    const isThere = seen()
    // Whoever asked hears of it when the server is back, or not at all.
    void Promise.allSettled([ask(at.api.POST('/repositories/{id}/own-backup', id))])
    await until(`the moment at which it is ${name}`, isThere, 2)
    at.kill('server')
    // Whatever is listed now is whole: what was there, and at most the new one.
    const listed = await versions()
    expect(known.filter((stem) => !listed.some((one) => one.stem === stem))).toEqual([])
    if (known.length > 0) {
      const { code, out } = await rebuild('--dry-run')
      expect([code, JSON.parse(out)]).toMatchObject([0, { dryRun: true, installation: { uuid } }])
    }
    // Nobody asks again: its run goes on with the server that comes back.
    const after = await until(
      'the next copy',
      async () => {
        const row = await own()
        return row.state === 'ok' && row.stem !== before.stem ? row : undefined
      },
      500,
    )
    const whole = await versions()
    expect(whole.find(({ stem }) => stem === after.stem)?.notes).toContain(`change-${name}`)
    await until('the end of the copy', () => filesBelow(copies()).length === 0, 100)
  },
)
