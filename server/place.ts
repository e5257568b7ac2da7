import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '../base/index.ts'
import { identify, isAlive } from '../drivers/transport/index.ts'
import type { ProcessIdentity } from '../drivers/transport/index.ts'
import type { Home } from './config.ts'

/** What a role says about itself in `run/<role>.json` while it runs. */
export interface Notice extends ProcessIdentity {
  readonly role: string
  readonly address: string | null
}

/**
 * Takes the place of a role in this home: one server owns the catalog, one `up` the whole. Throws AlreadyRunning; what
 * a killed process left is taken over, because a pid alone proves nothing.
 */
export async function takePlace(home: Home, role: string): Promise<Disposable> {
  const path = join(home.run, `${role}.lock`)
  const me = await identify(process.pid)
  if (me === null) throw new HoldfastError('Internal', 'this process cannot find itself in /proc')
  const mine = `${path}.${process.pid}`
  writeFileSync(mine, JSON.stringify(me), { mode: 0o600 })
  try {
    for (let tries = 0; !placed(mine, path); tries += 1) {
      const owner = readOwner(path)
      if (owner !== null && (await isAlive(owner))) {
        throw new HoldfastError(
          'AlreadyRunning',
          `holdfast ${role} is running already in ${home.root} (process ${owner.pid})`,
          {
            hint: 'Stop it first, or use another HOLDFAST_HOME.',
          },
        )
      }
      if (tries >= 10) throw new HoldfastError('Internal', `${path} cannot be taken over`)
      rmSync(path, { force: true })
    }
  } finally {
    rmSync(mine, { force: true })
  }
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) }
}

/** Tells others where this role is; the file goes with the process, or is told stale by its identity. */
export async function announce(home: Home, role: string, address: string | null): Promise<Disposable> {
  const me = await identify(process.pid)
  if (me === null) throw new HoldfastError('Internal', 'this process cannot find itself in /proc')
  const path = join(home.run, `${role}.json`)
  const notice: Notice = { role, address, ...me }
  writeFileSync(path, `${JSON.stringify(notice)}\n`, { mode: 0o600 })
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) }
}

/** The living process of that role; null: none. */
export async function whoIs(home: Home, role: string): Promise<Notice | null> {
  const notice = readOwner(join(home.run, `${role}.json`)) as Notice | null
  return notice !== null && (await isAlive(notice)) ? notice : null
}

function placed(mine: string, path: string): boolean {
  try {
    linkSync(mine, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** null: not there, or cut off by a crash while it was written. */
function readOwner(path: string): ProcessIdentity | null {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    const { pid, started } = (typeof value === 'object' && value !== null ? value : {}) as Partial<ProcessIdentity>
    return typeof pid === 'number' && typeof started === 'string' ? (value as ProcessIdentity) : null
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
