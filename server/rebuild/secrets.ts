import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { locationText, shellWord } from '../../base/index.ts'
import type { Catalog } from '../../catalog/index.ts'
import type { UnlockSecret } from '../../repository/index.ts'
import type { Home } from '../config.ts'
import { resolveSecret } from '../secrets.ts'
import type { MissingSecret } from './types.ts'

/**
 * The passphrase that opened a repository is one that its workers need: it goes to where the catalog says they look, or,
 * where that is not of this home, beside the other secrets.
 */
export async function keepPassphrase(
  catalog: Catalog,
  home: Home,
  repositoryId: string,
  secret: UnlockSecret,
): Promise<void> {
  if (secret.kind !== 'passphrase') return
  const { credentialRef } = catalog.repositories.get(repositoryId)
  if (await resolves(credentialRef)) return
  const path = join(home.secrets, `repository-${repositoryId}`)
  mkdirSync(home.secrets, { recursive: true, mode: 0o700 })
  const text = `${secret.passphrase}\n`
  // Somebody's file of that name stays; then the passphrase is among what is missing.
  if (existsSync(path) && readFileSync(path, 'utf8') !== text) return
  writeFileSync(path, text, { mode: 0o600 })
  catalog.repositories.move(repositoryId, { credentialRef: `file:${path}` })
}

/** Everything that the catalog refers to and that cannot be read here. */
export async function missingSecrets(catalog: Catalog): Promise<MissingSecret[]> {
  const missing: MissingSecret[] = []
  for (const { kind, id, ref } of catalog.recovery.credentials()) {
    if (await resolves(ref)) continue
    missing.push({ kind, id, ref, command: commandFor(catalog, kind, id, ref) })
  }
  return missing
}

async function resolves(ref: string): Promise<boolean> {
  return resolveSecret(ref).then(
    () => true,
    () => false,
  )
}

/** `install` reads what is typed, and makes the file for its owner alone. */
function commandFor(catalog: Catalog, kind: MissingSecret['kind'], id: string, ref: string): string {
  const path = ref.startsWith('file:') ? ref.slice('file:'.length) : null
  if (path === null) return `# put the secret of ${kind} ${id} back to ${ref}`
  const typed = `install -D -m 600 /dev/stdin ${shellWord(path)}`
  if (kind !== 'repository') return typed
  const place = shellWord(locationText(catalog.repositories.get(id).location))
  return `${typed}   # or a new one: holdfast repo key add ${place} --type passphrase --recovery-key-file KEY --new-passphrase-file ${shellWord(path)}`
}
