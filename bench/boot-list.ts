/**
 * What a boot list saves: `node bench/boot-list.ts [--latency 30] [--pause 30] [--lead 1500]`. A disk in MinIO is served as to an
 * instant restore, each request to the store `latency` ms late. In place of a guest, 60 reads of 16 KiB in 60 MiB, one after the
 * other, `pause` ms of work after each, begin `lead` ms after the disk is served, which is about what making the VM takes. Once
 * with nothing read ahead and once with the list that the first time has left.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Serving } from '../activities/instant/serving.ts'
import type { BootReads } from '../activities/instant/types.ts'
import { bytes, formatBytes, GiB, KiB, MiB, secretText } from '../base/index.ts'
import { S3Lab } from '../lab/stores/index.ts'
import { connectNbd } from '../nbd/index.ts'
import { createRepository, openRepository, parseLocation } from '../repository/index.ts'
import { backUpDisk, usedMib } from './disk.ts'
import { delayed } from './restores/stores.ts'

const { values } = parseArgs({
  options: {
    latency: { type: 'string', default: '30' },
    pause: { type: 'string', default: '30' },
    lead: { type: 'string', default: '1500' },
  },
})
const reads = 60
const size = GiB / 4
const quiet = (): void => undefined
const home = mkdtempSync(join(tmpdir(), 'hf-'))
try {
  using undo = new DisposableStack()
  await using lab = await S3Lab.start('minio')
  const { url } = await lab.bucket()
  const passphrase = 'bench'
  await createRepository({ location: parseLocation(url), passphrase, argon2: { m: 19_456, t: 2, p: 1 } })
  const location = parseLocation(await delayed(url, Number(values.latency), undo))
  const secret = { kind: 'passphrase', passphrase: secretText(passphrase) } as const
  await using repository = await openRepository({ location, secret, cacheDir: join(home, 'cache') })
  const { stem } = await backUpDisk(repository, { size, name: 'disk', parentStem: null, mode: 'full' })
  // In no order that reading ahead by itself could guess.
  const places = Array.from({ length: reads }, (_, n) => usedMib((n * 37) % 180) * MiB)
  const boot = async (operation: string, list: BootReads | null): Promise<BootReads | null> => {
    await using serving = new Serving({
      ...{ dir: join(home, operation), cacheBytes: 128 * MiB, log: { info: quiet, warn: quiet, error: quiet } },
      repository: (_ref, work) => work(repository),
    })
    const ref = { id: 'main', name: 'main', site: 'local', location, credentialRef: '' }
    const disks = [{ key: 'disk', size }]
    await serving.serve({ v: 1, operation, repository: ref, stem, disks }, list)
    await sleep(Number(values.lead))
    const client = await connectNbd({
      ...{ address: { kind: 'unix', path: serving.socket(operation) }, exportName: 'disk', contexts: [] },
    })
    const began = performance.now()
    for (const at of places) {
      await client.read(bytes(at), Buffer.alloc(16 * KiB))
      await sleep(Number(values.pause))
    }
    const tookMs = performance.now() - began
    const what = list === null ? 'nothing read ahead' : `${formatBytes(list.bytes)} read ahead`
    console.log(`${what}: ${reads} reads in ${(tookMs / 1000).toFixed(1)} s`)
    await client.close()
    return serving.reads(operation)
  }
  const list = await boot('a'.repeat(32), null)
  await boot('b'.repeat(32), list)
} finally {
  rmSync(home, { recursive: true, force: true })
}
