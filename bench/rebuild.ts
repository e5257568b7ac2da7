/**
 * How long `holdfast rebuild` takes: `node bench/rebuild.ts [points…]`, default 10 and 1000. For each number: from the
 * manifests alone, and with a catalog that knows all points. Points of twenty VMs, in a directory under the system's
 * temporary folder.
 */
import { randomBytes } from 'node:crypto'
import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCatalog } from '../catalog/index.ts'
import { catalogParts, catalogVm, createRepository, openRepository, type Repository } from '../repository/index.ts'
import { rebuild } from '../server/index.ts'

const passphrase = 'a passphrase for a measurement'
const installation = 'ab'.repeat(16)
const scope = '11111111-2222-3333-4444-555555555555'
const { signal } = new AbortController()
const id32 = (): string => randomBytes(16).toString('hex')

interface Content {
  readonly vm: string
  readonly platform: string
  readonly createdMs: number
  readonly catalog?: string
}

async function putPoint(repository: Repository, { vm, platform, createdMs, catalog }: Content): Promise<void> {
  const session = id32()
  const size = 1024 * 1024
  const isCatalog = catalog !== undefined
  const series = repository.series(isCatalog ? catalogVm(installation) : { platform, scope, vm })
  const parts = isCatalog ? [] : [{ part: 1, disk: 'disk0', firstPage: 0, nPages: 1 }]
  const fixed = { session, snap: id32(), series, createdMs, parentStem: null, owner: installation, parts, point: null }
  await repository.openSession(fixed, signal)
  if (!isCatalog) {
    const source = {
      size,
      readable: 'all' as const,
      maxInFlight: 1,
      extents: async function* (start: number, end: number) {
        yield { offset: start, length: end - start, kind: 'zero' as const }
      },
      read: async (_at: number, into: Uint8Array) => void into.fill(0),
    }
    const part = { session, part: 1, attempt: 1, diskBytes: size, source, mode: 'full' as const }
    await repository.copyPart({ ...part, signal, onProgress: () => undefined })
  }
  const disk = { id: 'disk0', label: 'disk0', bytes: size, sectorSize: 512, changeRef: null }
  await repository.commit({
    session,
    attempt: 1,
    results: isCatalog ? [] : [{ part: 1, attempt: 1 }],
    vm: { id: vm, name: vm, platform, scope: isCatalog ? installation : scope, tags: [] },
    point: { origin: isCatalog ? 'catalog' : 'manual', startedMs: createdMs, run: 'bench' },
    consistency: { level: 'crash', detail: JSON.stringify({ repositoryId: 'main' }) },
    hypervisor: { platform, version: '1', host: 'bench' },
    disks: isCatalog ? [] : [{ ...disk, mode: 'full', why: 'no-parent' }],
    configs: isCatalog ? catalogParts(1, createReadStream(catalog)) : [],
    retention: { class: '', policy: '' },
    signal,
    onProgress: () => undefined,
  })
  await repository.endSession(session, 'committed')
}

async function measure(points: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-rebuild-'))
  try {
    const location = { kind: 'posix', path: join(folder, 'repository') } as const
    const { recoveryKey } = await createRepository({ location, passphrase })
    const secret = { kind: 'recovery', text: recoveryKey } as const
    const fillMs = Date.now()
    await using repository = await openRepository({ location, secret, cacheDir: join(folder, 'cache') })
    for (let n = 0; n < points; n += 1)
      await putPoint(repository, { vm: `vm-${n % 20}`, platform: 'image', createdMs: 1_790_000_000_000 + n * 60_000 })
    const filledMs = Date.now() - fillMs
    const once = async (name: string) => {
      const startedMs = performance.now()
      const report = await rebuild({
        env: { HOLDFAST_HOME: join(folder, name) },
        locations: [location],
        secret,
        dryRun: false,
        reconcile: false,
        now: Date.now,
        signal,
        onProgress: () => undefined,
      })
      const added = report.reconciled.reduce((sum, one) => sum + one.added, 0)
      return {
        ms: Math.round(performance.now() - startedMs),
        added,
        peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
      }
    }
    const manifests = await once('manifests')
    {
      using catalog = openCatalog({ path: join(folder, 'manifests', 'catalog.db') })
      catalog.installation.adopt(installation, 'bench')
      await catalog.own.copyTo(join(folder, 'copy.db'), { onProgress: () => undefined })
    }
    const content = { vm: 'catalog', platform: 'holdfast', createdMs: Date.now(), catalog: join(folder, 'copy.db') }
    await putPoint(repository, content)
    const withCatalog = await once('catalog')
    console.log(JSON.stringify({ points, filledMs, manifests, withCatalog }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const wanted = process.argv.slice(2).map(Number)
for (const points of wanted.length > 0 ? wanted : [10, 1000]) await measure(points)
