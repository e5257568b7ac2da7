/**
 * Makes the golden repository of this version: `node repository/golden/make.ts <folder>`. Keys, nonces and the random bytes
 * of packs are drawn anew, so a second run gives other objects; the disks, configurations, times and ids are always the
 * same. A released one is never made again: readers of later versions must read it as it is.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { createRepositoryWith } from '../create.ts'
import { openRepositoryWith } from '../repository.ts'
import { SMALL_PROBE } from '../store/index.ts'
import { expectedOf, scene, storeScene } from './scene.ts'

const [folder] = process.argv.slice(2)
if (folder === undefined || existsSync(folder)) {
  throw new Error(
    folder === undefined ? 'usage: make.ts <folder>' : `${folder} exists; a golden repository is never replaced`,
  )
}
const location = { kind: 'posix', path: join(folder, 'repository') } as const
mkdirSync(folder, { recursive: true })
const { passphrase, argon2 } = scene
const made = await createRepositoryWith({ location, passphrase, argon2 }, { probeSize: SMALL_PROBE })
const cacheDir = mkdtempSync(join(tmpdir(), 'golden-'))
try {
  await using repository = await openRepositoryWith({ location, secret: { kind: 'passphrase', passphrase }, cacheDir })
  const stems = await storeScene(repository)
  const points = scene.points.map((point, index) => ({ stem: stems[index], ...expectedOf(point) }))
  writeFileSync(join(folder, 'secrets.txt'), `passphrase: ${passphrase}\nrecovery key: ${made.recoveryKey}\n`)
  writeFileSync(join(folder, 'expected.json'), `${JSON.stringify({ id: made.id, vm: scene.vm, points }, null, 2)}\n`)
} finally {
  rmSync(cacheDir, { recursive: true, force: true })
}
// The store's own working files are not part of a repository (§14.2).
for (const own of ['tmp', '.reserve', 'probe-tmp']) rmSync(join(location.path, own), { recursive: true, force: true })
