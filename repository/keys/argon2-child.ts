import { argon2id } from './argon2.ts'
import type { Argon2Cost } from '../format/index.ts'

/**
 * Program of the short-lived child that `passphraseKeyInChild` starts (rulings 9): reads `{passphrase, cost}` from standard
 * input, writes 32 bytes to standard output, ends.
 */
const chunks: Buffer[] = []
for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk)
const { passphrase, cost } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
  passphrase: string
  cost: Argon2Cost
}
process.stdout.write(argon2id(passphrase, cost))
