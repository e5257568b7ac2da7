import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
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

/** `via`: another way to it. Throws PackageMissing for a store that is not installed, with the command that installs it. */
export async function startStore(
  kind: StoreKind,
  at: Installation,
  via: (url: string) => Promise<string> = (url) => Promise.resolve(url),
): Promise<OpenStore> {
  await using undo = new AsyncDisposableStack()
  const direct = await place(kind, at, undo)
  const passphrase = randomBytes(24).toString('base64url')
  const passphraseFile = join(at.home, 'secrets', `repository-${kind}`)
  writeFileSync(passphraseFile, `${passphrase}\n`, { mode: 0o600 })
  await createRepository({ location: parseLocation(direct), passphrase })
  const url = await via(direct)
  const body = { name: kind, site: 'local', location: parseLocation(url), credentialRef: `file:${passphraseFile}` }
  const { id } = await ask(at.api.POST('/repositories', { body }))
  const kept = undo.move()
  return { kind, id, url, passphraseFile, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

async function place(kind: StoreKind, at: Installation, undo: AsyncDisposableStack): Promise<string> {
  if (kind === 'posix') return join(at.home, 'repository')
  if (kind === 'minio') return (await undo.use(await S3Lab.start('minio')).bucket()).url
  return (await undo.use(await AzuriteLab.start()).container()).url
}

/** Another way to an S3 store: passes on what comes after so many milliseconds, and answers at once. */
export async function delayed(url: string, latencyMs: number, undo: DisposableStack): Promise<string> {
  const endpoint = new URL(new URL(url).searchParams.get('endpoint') ?? '')
  const server = createServer((near) => {
    const far = connect(Number(endpoint.port), endpoint.hostname)
    near.on('data', (data) => setTimeout(() => far.write(data), latencyMs))
    near.on('end', () => setTimeout(() => far.end(), latencyMs))
    far.pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  undo.defer(() => void server.close())
  return url.replace(endpoint.host, `127.0.0.1:${(server.address() as AddressInfo).port}`)
}
