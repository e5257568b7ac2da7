/**
 * Makes a golden repository of this version: `node repository/golden/make.ts <folder> [--rotated]`. With `--rotated` all
 * keys are rotated between its two points, and shares and an escrow key open it as well. Keys, nonces and the random bytes
 * of packs are drawn anew, so a second run gives other objects; the disks, configurations, times and ids are always the
 * same. A released one is never made again: readers of later versions must read it as it is.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { createRepositoryWith } from '../create.ts'
import { KeyAdmin, type PrintedSecret } from '../key-admin/index.ts'
import { drawEscrowKeys } from '../keys/index.ts'
import { openRepositoryWith } from '../repository.ts'
import { connectTo, SMALL_PROBE } from '../store/index.ts'
import { expectedOf, scene, storePoint } from './scene.ts'

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

try {
  const stems: string[] = []
  let rotated = ''
  for (const point of scene.points) {
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
