import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { HoldfastError } from '../../base/index.ts'
import type { Argon2Cost } from '../format/index.ts'
import { argon2Parameters } from './argon2.ts'

const program = fileURLToPath(new URL('./argon2-child.ts', import.meta.url))

/**
 * Argon2id in a child process, so that its memory never counts in that of a mover (rulings 9). The passphrase goes over
 * standard input: not in arguments, not in the environment. Throws FormatError for costs out of bounds, Internal with what
 * the child said if it fails.
 */
export async function passphraseKeyInChild(
  passphrase: string,
  cost: Argon2Cost,
  signal?: AbortSignal,
): Promise<Buffer> {
  const { message, nonce, ...parameters } = argon2Parameters(passphrase, cost)
  // Nothing else of the environment: the program needs none, and compiling it is a tenth of the wait.
  const cache = process.env['NODE_COMPILE_CACHE']
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache },
    ...(signal && { signal }),
  })
  const out: Buffer[] = []
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.stdin.once('error', reject)
    child.once('close', resolve)
  })
  child.stdin.end(
    JSON.stringify({ ...parameters, message: message.toString('base64'), nonce: nonce.toString('base64') }),
  )
  const code = await ended
  const key = Buffer.concat(out)
  if (code !== 0 || key.length !== 32) {
    const why = Buffer.concat(said).toString('utf8').trim().slice(-500)
    throw new HoldfastError('Internal', `Deriving the key from the passphrase failed (exit ${code}): ${why}`, {
      hint: `The derivation needs ${Math.ceil(cost.m / 1024)} MiB of memory; check that so much is free.`,
    })
  }
  return key
}
