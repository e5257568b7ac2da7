/**
 * Makes a golden repository of this version: `node repository/golden/make.ts <folder> [mode]`. With `--rotated` all keys are
 * rotated between its two points, and shares and an escrow key open it as well. With `--compacted` a third point was there,
 * was pruned and collected, and every data pack of the two was copied out of: no hint of theirs holds. With `--mirrored` it is
 * the mirror, with keys and ids of its own, of a repository that is gone. Keys, nonces and the random bytes of packs are drawn
 * anew, so a second run gives other objects; the disks, configurations, times and ids are always the same. A released one is
 * never made again: readers of later versions must read it as it is.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { createRepositoryWith } from '../create.ts'
import { mirror } from '../mirror/index.ts'
import { KeyAdmin, type PrintedSecret } from '../key-admin/index.ts'
import { drawEscrowKeys } from '../keys/index.ts'
import { openRepositoryWith } from '../repository.ts'
import { connectTo, SMALL_PROBE } from '../store/index.ts'
import { expectedOf, passing, scene, storePoint, storeScene } from './scene.ts'

const [folder, mode] = process.argv.slice(2)
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
const secret = { kind: 'passphrase', passphrase } as const
const { signal } = new AbortController()

/** Rotates every key and adds the other kinds of slots. Returns lines of secrets.txt. */
async function rotate(): Promise<string> {
  using admin = new KeyAdmin(connectTo(location)(), made.id, secret)
  const escrow = await drawEscrowKeys()
  const printed: string[] = []
  const keep = [{ kind: 'recovery', text: made.recoveryKey } as const]
  const add = [
    { type: 'shamir', threshold: 2, shares: 3, label: 'shares' } as const,
    { type: 'hpke', recipient: escrow.publicText, label: 'escrow' } as const,
  ]
  const deliver = async ({ texts }: PrintedSecret): Promise<void> => void printed.push(...texts)
  await admin.rotateKek({ keep, add }, deliver, signal)
  await admin.rotateKeys(['DEK', 'MDK', 'MK', 'SIG'], signal)
  return [...printed.map((text) => `share: ${text}\n`), `escrow key: ${escrow.privateText}\n`].join('')
}

/** The packs of a point that goes hold what the others need: what is left of it is copied out, and it is collected. */
async function compact(): Promise<void> {
  await using repository = await openRepositoryWith({ location, secret, cacheDir })
  const stem = await storePoint(repository, passing, null)
  for (const point of scene.points) {
    stems.push(await storePoint(repository, point, stems.at(-1) ?? null))
  }
  const prune = { remove: [{ stem }], reason: 'operator', actor: 'golden', maxShare: 1, signal } as const
  await repository.prune(prune)
  await repository.prune({ ...prune, remove: [] })
  // The second deletes what the first has copied, the third merges what is left.
  for (let run = 0; run < 3; run++) {
    await repository.collect({ waits: 'none', compactBelow: 1, signal, onProgress: () => undefined })
  }
}

/** The scene in a repository of another identity that lives only here, and this one as its mirror. */
async function fillFromMirror(): Promise<void> {
  const source = { kind: 'posix', path: join(cacheDir, 'source') } as const
  mkdirSync(source.path)
  await createRepositoryWith({ location: source, passphrase, argon2 }, { probeSize: SMALL_PROBE })
  await using from = await openRepositoryWith({ location: source, secret, cacheDir: join(cacheDir, 'source-cache') })
  await storeScene(from)
  await using to = await openRepositoryWith({ location, secret, cacheDir })
  const target = { engine: to.engine, points: to.points, writer: to }
  const { points } = await mirror(from, target, { signal, onProgress: () => undefined })
  for (const { target: stem } of points) stems.push(stem)
}

const stems: string[] = []
try {
  let rotated = ''
  if (mode === '--compacted') await compact()
  if (mode === '--mirrored') await fillFromMirror()
  for (const point of stems.length > 0 ? [] : scene.points) {
    if (mode === '--rotated' && stems.length > 0) rotated += await rotate()
    // Opened anew for each point: the keys may be others.
    await using repository = await openRepositoryWith({ location, secret, cacheDir })
    stems.push(await storePoint(repository, point, stems.at(-1) ?? null))
  }
  const points = scene.points.map((point, index) => ({ stem: stems[index], ...expectedOf(point) }))
  const secrets = `passphrase: ${passphrase}\nrecovery key: ${made.recoveryKey}\n${rotated}`
  writeFileSync(join(folder, 'secrets.txt'), secrets)
  writeFileSync(join(folder, 'expected.json'), `${JSON.stringify({ id: made.id, vm: scene.vm, points }, null, 2)}\n`)
} finally {
  rmSync(cacheDir, { recursive: true, force: true })
}
// The store's own working files are not part of a repository (§14.2).
for (const own of ['tmp', '.reserve', 'probe-tmp']) rmSync(join(location.path, own), { recursive: true, force: true })
