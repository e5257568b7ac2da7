import { readFileSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Catalog } from '../catalog/index.ts'
import { drawPrivateKey, signingKey, type EvidenceKey, type EvidenceSeal } from '../evidence/index.ts'
import type { Home } from './config.ts'
import { ensureToken } from './secrets.ts'

export function evidenceKeyPath(home: Home): string {
  return join(home.secrets, 'evidence-key')
}

/** What signs evidence of drills, and the way to another key. */
export interface EvidenceKeeper extends EvidenceSeal {
  /** Draws a new key, which signs from now on. The earlier private key is gone; its public half stays known. */
  readonly rotate: () => Promise<EvidenceKey>
}

/**
 * The private key lies below `secrets/`, for this user alone, and is made at the first start. The catalog keeps every public
 * one, and takes them into each repository: whoever lost the machine draws another key, and verifies what there was.
 * Throws KeysDamaged for a file that is no such key.
 */
export function evidenceKeeper(home: Home, catalog: Catalog, version: string): EvidenceKeeper {
  const path = evidenceKeyPath(home)
  ensureToken(path, () => drawPrivateKey().trim())
  let key = signingKey(readFileSync(path, 'utf8'), path)
  catalog.evidence.useKey(key)
  return {
    version,
    key: () => key,
    async rotate() {
      const pem = drawPrivateKey()
      const next = signingKey(pem, path)
      await replaceDurably(path, pem)
      // Stopped here, the next start finds the new key and tells the catalog.
      key = next
      catalog.evidence.useKey(key)
      return { id: key.id, publicKey: key.publicKey }
    },
  }
}

/** Whole or not at all: half a key would sign nothing and verify nothing. */
async function replaceDurably(path: string, text: string): Promise<void> {
  const partial = `${path}.new`
  rmSync(partial, { force: true })
  {
    await using file = await open(partial, 'wx', 0o600)
    await file.writeFile(text)
    await file.sync()
  }
  renameSync(partial, path)
  await using folder = await open(join(path, '..'), 'r')
  await folder.sync()
}
