import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { HoldfastError } from '../base/index.ts'
import type { Catalog } from '../catalog/index.ts'
import type { Environment, Home } from './config.ts'

/** `uuid`: 32 hex digits; owner of repository sessions and of every mark on a hypervisor. */
export interface InstallationIdentity {
  readonly uuid: string
  readonly name: string
}

export function installationPath(home: Home): string {
  return join(home.root, 'installation.json')
}

/**
 * Who we are. Made at the first start and kept beside the catalog, so that a lost catalog does not make us a stranger
 * to our own marks. A worker on another machine asks the server for it (`introduce`), or gets it by `HOLDFAST_INSTALLATION`
 * (`<uuid>` or `<uuid>:<name>`).
 */
export function ensureInstallation(home: Home, env: Environment = {}): InstallationIdentity {
  const given = env['HOLDFAST_INSTALLATION']
  if (given) return fromText(given)
  const path = installationPath(home)
  const known = readIdentity(path)
  if (known !== null) return known
  const made = { v: 1, uuid: randomUUID().replaceAll('-', ''), name: hostname() }
  const partial = `${path}.${process.pid}`
  writeFileSync(partial, `${JSON.stringify(made)}\n`, { mode: 0o600 })
  try {
    // link(2) fails if somebody else was first: two starts at once end with one identity.
    linkSync(partial, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(partial)
  }
  return readIdentity(path) ?? made
}

/** Takes over the identity that a rebuilt catalog names. Again: yes. Throws ConfigInvalid where the home has another. */
export function adoptInstallation(home: Home, identity: InstallationIdentity): void {
  const path = installationPath(home)
  const known = readIdentity(path)
  if (known !== null && known.uuid !== identity.uuid) {
    throw new HoldfastError(
      'ConfigInvalid',
      `${path} is of the installation ${known.uuid}, the catalog of ${identity.uuid}`,
      {
        hint: 'Rebuild into an empty HOLDFAST_HOME, or remove that file if nothing is protected by it.',
      },
    )
  }
  const partial = `${path}.${process.pid}`
  writeFileSync(partial, `${JSON.stringify({ v: 1, ...identity })}\n`, { mode: 0o600 })
  renameSync(partial, path)
}

/** The file is the identity; a catalog that already protects something under another one is not ours to change. */
export function agreeWithCatalog(identity: InstallationIdentity, catalog: Catalog): void {
  const known = catalog.installation.get()
  if (known.uuid === identity.uuid) return
  if (catalog.points.countAll() > 0) {
    throw new HoldfastError('ConfigInvalid', 'the catalog belongs to another installation than this home', {
      hint: 'Put the installation.json that belongs to the catalog back into HOLDFAST_HOME.',
    })
  }
  catalog.installation.adopt(identity.uuid, identity.name)
}

/** Of this home, if it has been said before. Makes nothing. */
export function knownInstallation(home: Home, env: Environment = {}): InstallationIdentity | null {
  const given = env['HOLDFAST_INSTALLATION']
  return given ? fromText(given) : readIdentity(installationPath(home))
}

function readIdentity(path: string): InstallationIdentity | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  const value: unknown = JSON.parse(text)
  const { uuid, name } = (typeof value === 'object' && value !== null ? value : {}) as Partial<InstallationIdentity>
  if (typeof uuid !== 'string' || !/^[0-9a-f]{32}$/.test(uuid) || typeof name !== 'string') {
    throw new HoldfastError('ConfigInvalid', `${path} is not the identity of an installation`)
  }
  return { uuid, name }
}

function fromText(text: string): InstallationIdentity {
  const [uuid = '', name = 'holdfast'] = text.split(':')
  if (!/^[0-9a-f]{32}$/.test(uuid))
    throw new HoldfastError('ConfigInvalid', 'HOLDFAST_INSTALLATION is not 32 hex digits')
  return { uuid, name }
}
