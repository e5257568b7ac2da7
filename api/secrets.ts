import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { HoldfastError } from '../base/index.ts'
import type { Catalog } from '../catalog/index.ts'

/** SHA-256 in hex. Our secrets are 256 random bits, so a fast hash is enough. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** `holdfast_` and 43 characters: recognisable by scanners of leaked secrets. */
export function newSecret(): string {
  return `holdfast_${randomBytes(32).toString('base64url')}`
}

/** Both are hex of the same length; takes as long for a near miss as for a far one. */
export function sameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}

/**
 * Reads the administrator's token from its file (0600), makes it at the first start, and tells the catalog its hash.
 * Replacing the file's content and starting again replaces the token and ends its sessions.
 */
export function ensureAdminToken(catalog: Catalog, path: string): string {
  const token = readToken(path) ?? makeToken(path)
  catalog.access.putToken({ id: 'admin', name: 'operator', hash: hashOf(token), role: 'admin' })
  return token
}

function readToken(path: string): string | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new HoldfastError('SecretMissing', `the token file ${path} cannot be read`, { cause: error })
  }
  const token = text.trim()
  if (token.length < 20) {
    throw new HoldfastError('SecretMissing', `the token in ${path} is too short to be safe`, {
      hint: 'Remove the file; the next start makes a new token.',
    })
  }
  return token
}

function makeToken(path: string): string {
  const token = newSecret()
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, `${token}\n`, { mode: 0o600, flag: 'wx' })
  chmodSync(path, 0o600)
  return token
}
