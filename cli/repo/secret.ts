import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { HoldfastError, secretText } from '../../base/index.ts'
import type { UnlockSecret } from '../../repository/index.ts'
import type { Io } from '../io.ts'

export interface SecretOptions {
  readonly passphraseFile?: string
  readonly recoveryKeyFile?: string
}

/** From a file or a prompt, never from the command line: arguments are seen by every process of the machine. */
export async function readSecret(io: Io, options: SecretOptions): Promise<UnlockSecret> {
  if (options.recoveryKeyFile !== undefined) return { kind: 'recovery', text: fileText(options.recoveryKeyFile) }
  return { kind: 'passphrase', passphrase: await readPassphrase(io, options, false) }
}

/** `twice`: a new one is typed again, because nobody can ask for it later. */
export async function readPassphrase(io: Io, { passphraseFile }: SecretOptions, twice: boolean): Promise<string> {
  if (passphraseFile !== undefined) return fileText(passphraseFile)
  const { stdin, stderr } = io.world
  if (!stdin.isTTY || !stderr.isTTY) {
    throw new HoldfastError('SecretMissing', 'no passphrase was given', {
      hint: 'Give --passphrase-file, or run this in a terminal.',
    })
  }
  const first = await prompt(io, 'Passphrase: ')
  if (twice && (await prompt(io, 'The same again: ')) !== first)
    throw new HoldfastError('InvalidRequest', 'the two passphrases differ')
  return first
}

function fileText(path: string): string {
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
