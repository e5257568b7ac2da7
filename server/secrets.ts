import { constants, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { HoldfastError } from '../base/index.ts'
import type { Home } from './config.ts'

const maxSecret = 64 * 1024

/**
 * Resolves `file:<path>` to the content of a file that only its owner can read. An empty reference stands for a
 * connection that needs no secret. Nothing of the secret is ever part of an error.
 */
export async function resolveSecret(credentialRef: string): Promise<string> {
  if (credentialRef === '') return ''
  const path = credentialRef.startsWith('file:') ? credentialRef.slice('file:'.length) : null
  if (path === null || !isAbsolute(path)) {
    throw new HoldfastError('ConfigInvalid', `not a reference to a secret: ${credentialRef}`, {
      hint: 'Write file:/path/to/secret.',
    })
  }
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    const { mode, size } = await file.stat()
    if ((mode & 0o077) !== 0) {
      throw new HoldfastError('SecretMissing', `${path} can be read by others`, { hint: `chmod 600 ${path}` })
    }
    if (size > maxSecret) throw new HoldfastError('SecretMissing', `${path} is too large to be a secret`)
    return (await file.readFile('utf8')).replace(/\r?\n$/, '')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new HoldfastError('SecretMissing', `the secret ${path} is not there`)
    if (code === 'EACCES' || code === 'EPERM')
      throw new HoldfastError('SecretMissing', `the secret ${path} may not be read`)
    if (code === 'ELOOP')
      throw new HoldfastError('SecretMissing', `the secret ${path} is a link`, { hint: 'Put the file itself there.' })
    throw error
  }
}

export function adminTokenPath(home: Home): string {
  return join(home.secrets, 'admin-token')
}

export function workerTokenPath(home: Home): string {
  return join(home.secrets, 'worker-token')
}

/** Made at the first start, kept afterwards; two starts at once end with the same token. */
export function ensureWorkerToken(path: string, make: () => string): void {
  try {
    writeFileSync(path, `${make()}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
