import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '../../cli/client/index.ts'
import type { Installation } from '../../cli/demo/index.ts'
import { AzuriteLab, S3Lab } from '../../lab/stores/index.ts'
import { createRepository, parseLocation } from '../../repository/index.ts'

export const storeKinds = ['posix', 'minio', 'azurite'] as const
export type StoreKind = (typeof storeKinds)[number]

/** An empty repository that the installation knows. Disposing ends the store, and its content goes. */
export interface OpenStore extends AsyncDisposable {
  readonly kind: StoreKind
  readonly id: string
  /** What `holdfast repo` takes. */
  readonly url: string
  readonly passphraseFile: string
}

/** Throws PackageMissing for a store that is not installed, with the command that installs it. */
export async function startStore(kind: StoreKind, at: Installation): Promise<OpenStore> {
  await using undo = new AsyncDisposableStack()
  const url = await place(kind, at, undo)
  const location = parseLocation(url)
  const passphrase = randomBytes(24).toString('base64url')
  const passphraseFile = join(at.home, 'secrets', `repository-${kind}`)
  writeFileSync(passphraseFile, `${passphrase}\n`, { mode: 0o600 })
  await createRepository({ location, passphrase })
  const body = { name: kind, site: 'local', location, credentialRef: `file:${passphraseFile}` }
  const { id } = await ask(at.api.POST('/repositories', { body }))
  const kept = undo.move()
  return { kind, id, url, passphraseFile, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

async function place(kind: StoreKind, at: Installation, undo: AsyncDisposableStack): Promise<string> {
  if (kind === 'posix') return join(at.home, 'repository')
  if (kind === 'minio') return (await undo.use(await S3Lab.start('minio')).bucket()).url
  return (await undo.use(await AzuriteLab.start()).container()).url
}
