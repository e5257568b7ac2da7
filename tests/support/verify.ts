import { join } from 'node:path'
import { expect } from 'vitest'
import { openRepository, type VerifyReport } from '../../repository/index.ts'
import type { World } from './world.ts'

/** Every chunk of every point of the world's repository decrypted and hashed, without the server and its catalog. */
export async function verifyFull({ repository: { path, passphrase }, home }: World): Promise<VerifyReport> {
  await using repository = await openRepository({
    location: { kind: 'posix', path },
    secret: { kind: 'passphrase', passphrase },
    cacheDir: join(home, 'verify'),
  })
  const signal = AbortSignal.timeout(300_000)
  return await repository.verify({ level: 'full', signal, onProgress: () => undefined })
}

export async function expectSound(world: World): Promise<void> {
  expect((await verifyFull(world)).damages).toEqual([])
}
