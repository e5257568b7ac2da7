import { argon2Sync } from 'node:crypto'
import { readFileSync } from 'node:fs'

/**
 * Program of the short-lived child that `passphraseKeyInChild` starts (rulings 9): reads the parameters, bytes in Base64,
 * from standard input, writes 32 bytes to standard output, ends. It loads no module of ours: somebody waits for it.
 */
const { message, nonce, ...cost } = JSON.parse(readFileSync(0, 'utf8')) as {
  message: string
  nonce: string
  memory: number
  passes: number
  parallelism: number
  tagLength: number
}
const bytes = { message: Buffer.from(message, 'base64'), nonce: Buffer.from(nonce, 'base64') }
process.stdout.write(argon2Sync('argon2id', { ...bytes, ...cost }))
