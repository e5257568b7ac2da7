import type { Repository } from '../../repository/index.ts'
import type { Io } from '../io.ts'
import { openAt, placeOf } from './place.ts'

/** Secret of a second repository, if it is not that of the first. */
export interface OtherSecret {
  readonly passphraseFile?: string
  readonly recoveryKeyFile?: string
  readonly otherPassphraseFile?: string
  readonly otherRecoveryKeyFile?: string
}

/** Opens the second repository of a command: with its own secret, else with that of the first. */
export async function openOther(io: Io, dir: string, options: OtherSecret): Promise<Repository> {
  const { passphraseFile, recoveryKeyFile, otherPassphraseFile, otherRecoveryKeyFile } = options
  const hasOwn = otherPassphraseFile !== undefined || otherRecoveryKeyFile !== undefined
  const [passphrase, recovery] = hasOwn
    ? [otherPassphraseFile, otherRecoveryKeyFile]
    : [passphraseFile, recoveryKeyFile]
  return await openAt(io, await placeOf(io, dir, {}), {
    ...(passphrase !== undefined && { passphraseFile: passphrase }),
    ...(recovery !== undefined && { recoveryKeyFile: recovery }),
  })
}
