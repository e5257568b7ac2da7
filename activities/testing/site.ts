import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HoldfastError } from '../../base/index.ts'
import { openRepository, pingLocation, testLocation } from '../../repository/index.ts'
import type { BlobStore } from '../retention/record.ts'
import { Bandwidth } from '../shared/bandwidth.ts'
import { Site } from '../shared/deps.ts'
import type { SiteOptions } from '../shared/deps.ts'
import { Slots } from '../shared/slots.ts'
import { FakeHypervisor } from './fake-driver.ts'

export interface TestSite extends AsyncDisposable {
  readonly site: Site
  readonly hypervisor: FakeHypervisor
  readonly folder: string
  readonly evidence: Map<string, Uint8Array>
}

/** The server's store, in memory; with the evidence of a site, what its workers hand in. */
export function memoryBlobs(content = new Map<string, Uint8Array>()): BlobStore {
  return {
    put: async (bytes) => {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      content.set(sha256, bytes)
      return sha256
    },
    get: async (sha256) => {
      const bytes = content.get(sha256)
      if (bytes === undefined) throw new HoldfastError('NotFound', `no evidence ${sha256}`)
      return bytes
    },
    drop: async (sha256) => void content.delete(sha256),
  }
}

const quiet = (): void => undefined

/** A site with the hypervisor in memory and the real repository code; a second one on the same folder is a restart. */
export function testSite(
  over: Partial<SiteOptions> & { readonly hypervisor?: FakeHypervisor; readonly folder?: string } = {},
): TestSite {
  const {
    hypervisor = new FakeHypervisor({}),
    folder = mkdtempSync(join(tmpdir(), 'holdfast-site-')),
    ...options
  } = over
  const evidence = new Map<string, Uint8Array>()
  const site = new Site({
    drivers: [hypervisor.module()],
    openRepository,
    pingLocation,
    probeLocation: testLocation,
    secret: async (ref) => {
      if (ref === '') return ''
      throw new HoldfastError('SecretMissing', `no secret ${ref}`)
    },
    worker: 'mover-test',
    reachServer: async () => ({ url: 'http://holdfast.test', latencyMs: 1 }),
    installation: '0123456789abcdef0123456789abcdef',
    installationName: 'test',
    evidence: memoryBlobs(evidence),
    catalogCopy: async function* (snap) {
      yield* []
      throw new HoldfastError('NotFound', `there is no copy ${snap}`)
    },
    verifyLedger: () => ({ passes: async function* () {}, record: async () => undefined }),
    cacheDir: join(folder, 'cache'),
    servedDir: join(folder, 'served'),
    pointsDir: join(folder, 'points'),
    filesDir: join(folder, 'files'),
    slots: new Slots(2),
    bandwidth: new Bandwidth({ ask: async () => [], log: { info: quiet, warn: quiet, error: quiet } }),
    threads: 1,
    log: { info: quiet, warn: quiet, error: quiet },
    ...options,
  })
  const dispose = async (): Promise<void> => {
    await site[Symbol.asyncDispose]()
    if (over.folder === undefined) rmSync(folder, { recursive: true, force: true })
  }
  return { site, hypervisor, folder, evidence, [Symbol.asyncDispose]: dispose }
}
