import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HoldfastError } from '../../base/index.ts'
import { openRepository, probeLocation } from '../../repository/index.ts'
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
    probeLocation,
    secret: async (ref) => {
      if (ref === '') return ''
      throw new HoldfastError('SecretMissing', `no secret ${ref}`)
    },
    installation: '0123456789abcdef0123456789abcdef',
    installationName: 'test',
    evidence: {
      put: async (bytes) => {
        evidence.set('e'.repeat(64), bytes)
        return 'e'.repeat(64)
      },
    },
    catalogCopy: async function* (snap) {
      yield* []
      throw new HoldfastError('NotFound', `there is no copy ${snap}`)
    },
    cacheDir: join(folder, 'cache'),
    slots: new Slots(2),
    threads: 1,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    ...options,
  })
  const dispose = async (): Promise<void> => {
    await site[Symbol.asyncDispose]()
    if (over.folder === undefined) rmSync(folder, { recursive: true, force: true })
  }
  return { site, hypervisor, folder, evidence, [Symbol.asyncDispose]: dispose }
}
