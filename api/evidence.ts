import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HoldfastError } from '../base/index.ts'

/** Evidence of drills, by content: `<dir>/ab/abcdef…`. What is there is whole and never changes. */
export const largestEvidence = 16 * 1024 * 1024

export interface Evidence {
  readonly bytes: Uint8Array
  readonly type: 'image/png' | 'application/json' | 'text/plain; charset=utf-8'
}

function pathOf(dir: string, sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new HoldfastError('InvalidRequest', 'not the name of a piece of evidence')
  return join(dir, sha256.slice(0, 2), sha256)
}

/** True: it is new. Throws InvalidRequest if the bytes do not hash to the name, or are none of the three types. */
export async function keepEvidence(dir: string, sha256: string, bytes: Uint8Array): Promise<boolean> {
  const path = pathOf(dir, sha256)
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw new HoldfastError('InvalidRequest', `the bytes do not hash to ${sha256}`, {
      hint: 'They changed on the way; send them again.',
    })
  }
  typeOf(bytes)
  if ((await read(path)) !== undefined) return false
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const partial = `${path}.${randomUUID()}`
  try {
    await writeDurably(partial, bytes)
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
  return true
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(bytes)
  await file.sync()
}

/** Throws NotFound, and FormatError if the file is no longer what it was. */
export async function readEvidence(dir: string, sha256: string): Promise<Evidence> {
  const bytes = await read(pathOf(dir, sha256))
  if (!bytes) throw new HoldfastError('NotFound', `there is no evidence ${sha256}`)
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw new HoldfastError('FormatError', `the evidence ${sha256} has changed on disk`, {
      hint: 'Do not trust it; run the drill again.',
    })
  }
  return { bytes, type: typeOf(bytes) }
}

/** Again: yes. */
export async function dropEvidence(dir: string, sha256: string): Promise<void> {
  await rm(pathOf(dir, sha256), { force: true })
}

async function read(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const png = Buffer.from('89504e470d0a1a0a', 'hex')

/** By content, never by what the sender says: what is served must not become a page. */
function typeOf(bytes: Uint8Array): Evidence['type'] {
  if (Buffer.from(bytes.subarray(0, 8)).equals(png)) return 'image/png'
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new HoldfastError('InvalidRequest', 'evidence is a PNG picture, text or JSON', { cause })
  }
  return isJson(text) ? 'application/json' : 'text/plain; charset=utf-8'
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

export function sendEvidence({ bytes, type }: Evidence): Response {
  return new Response(bytes as Uint8Array<ArrayBuffer>, {
    headers: {
      'content-type': type,
      'content-length': String(bytes.byteLength),
      'cache-control': 'private, max-age=31536000, immutable',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
    },
  })
}
