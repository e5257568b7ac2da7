import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { HoldfastError, secretText } from '../../base/index.ts'
import type { UnlockSecret } from '../../repository/index.ts'
import type { Io } from '../io.ts'

export interface SecretOptions {
  readonly passphraseFile?: string
  readonly recoveryKeyFile?: string
  /** Shares of a key, one in each line. */
  readonly sharesFile?: string
  /** Private key of an escrow holder. */
  readonly escrowKeyFile?: string
}

/** From a file or a prompt, never from the command line: arguments are seen by every process of the machine. */
export async function readSecret(io: Io, options: SecretOptions): Promise<UnlockSecret> {
  if (options.recoveryKeyFile !== undefined) return { kind: 'recovery', text: fileText(options.recoveryKeyFile) }
  if (options.escrowKeyFile !== undefined) return { kind: 'escrow', text: fileText(options.escrowKeyFile) }
  if (options.sharesFile !== undefined) {
    const lines = fileText(options.sharesFile).split('\n')
    return { kind: 'shares', texts: lines.map((line) => line.trim()).filter((line) => line !== '') }
  }
  return { kind: 'passphrase', passphrase: await readPassphrase(io, options, false) }
}

/** `twice`: a new one is typed again, because nobody can ask for it later. */
export async function readPassphrase(
  io: Io,
  { passphraseFile }: SecretOptions,
  twice: boolean,
  question = 'Passphrase: ',
): Promise<string> {
  if (passphraseFile !== undefined) return fileText(passphraseFile)
  const { stdin, stderr } = io.world
  if (!stdin.isTTY || !stderr.isTTY) {
    throw new HoldfastError('SecretMissing', 'no passphrase was given', {
      hint: 'Give --passphrase-file, or run this in a terminal.',
    })
  }
  const first = await prompt(io, question)
  if (twice && (await prompt(io, 'The same again: ')) !== first)
    throw new HoldfastError('InvalidRequest', 'the two passphrases differ')
  return first
}

/** A secret as it stands in a file. Throws SecretMissing. */
export function fileText(path: string): string {
  try {
    return secretText(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new HoldfastError('SecretMissing', `${path} cannot be read`, { cause: error })
  }
}

async function prompt(io: Io, question: string): Promise<string> {
  io.world.stderr.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: io.world.stdin, output: nowhere, terminal: true })
  try {
    return await lines.question('', { signal: io.world.signal })
  } finally {
    lines.close()
    io.world.stderr.write('\n')
  }
}
