import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { HoldfastError, secretText } from '../../base/index.ts'

const MAX_SECRET = 64 * 1024

/**
 * What a reference stands for: `file:/path` of a file that only its owner can read, or `env:NAME`. Nothing of the secret is
 * ever part of an error. Throws ConfigInvalid, SecretMissing.
 */
export async function readReference(reference: string): Promise<string> {
  if (reference.startsWith('env:')) {
    const value = process.env[reference.slice('env:'.length)]
    if (value !== undefined && value !== '') return value
    throw new HoldfastError('SecretMissing', `the environment variable ${reference.slice('env:'.length)} is not set`)
  }
  const path = reference.startsWith('file:') ? reference.slice('file:'.length) : ''
  if (!isAbsolute(path)) {
    throw new HoldfastError('ConfigInvalid', `not a reference to a secret: ${reference}`, {
      hint: 'Write file:/path/to/secret.',
    })
  }
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    const { mode, size } = await file.stat()
    if ((mode & 0o077) !== 0) {
      throw new HoldfastError('SecretMissing', `${path} can be read by others`, { hint: `chmod 600 ${path}` })
    }
    if (size > MAX_SECRET) throw new HoldfastError('SecretMissing', `${path} is too large to be a secret`)
    return secretText(await file.readFile('utf8'))
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

export interface S3Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** Either `ID:SECRET` on one line, or the lines of an AWS credentials file with one profile. */
export function parseS3Keys(text: string, reference: string): S3Keys {
  const fields = new Map<string, string>()
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !/^\s*[#;]/.test(line))
  if (lines.filter((line) => line.trim().startsWith('[')).length > 1) {
    throw new HoldfastError('ConfigInvalid', `${reference} holds several profiles`, {
      hint: 'Put the profile that is meant into a file of its own.',
    })
  }
  for (const line of lines) {
    const at = line.indexOf('=')
    if (at > 0) fields.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim())
  }
  const [first = ''] = lines
  const colon = first.indexOf(':')
  const isPair = lines.length === 1 && colon > 0
  const accessKeyId = isPair ? first.slice(0, colon).trim() : fields.get('aws_access_key_id')
  const secretAccessKey = isPair ? first.slice(colon + 1).trim() : fields.get('aws_secret_access_key')
  if (!accessKeyId || !secretAccessKey) {
    throw new HoldfastError('SecretMissing', `${reference} holds no S3 credentials`, {
      hint: 'Write ID:SECRET, or the lines aws_access_key_id = … and aws_secret_access_key = ….',
    })
  }
  const sessionToken = isPair ? undefined : fields.get('aws_session_token')
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
}

export type AzureSecret =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'sas'; readonly sas: string }

/** The key of a storage account (base64), or a shared access signature, which has a `sig` parameter. */
export function parseAzureSecret(text: string, reference: string): AzureSecret {
  const line = text.trim()
  if (new URLSearchParams(line.replace(/^\?/, '')).has('sig')) return { kind: 'sas', sas: line.replace(/^\?/, '') }
  if (/^[A-Za-z0-9+/]{40,}={0,2}$/.test(line)) return { kind: 'key', key: line }
  throw new HoldfastError('SecretMissing', `${reference} holds neither an account key nor a shared access signature`)
}
