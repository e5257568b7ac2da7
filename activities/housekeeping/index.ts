/**
 * The catalog into a repository: a recovery point without disks, sealed with the repository's keys like every other.
 * Versions that no rule keeps get a tombstone; garbage collection takes what they alone need.
 */
import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { Context } from '@temporalio/activity'
import { HoldfastError } from '../../base/index.ts'
import { ownBackupKeeps, retention } from '../../policy/index.ts'
import { catalogParts, catalogVm, readCatalog, type Repository } from '../../repository/index.ts'
import type { Site } from '../shared/deps.ts'
import { beating } from '../shared/operation.ts'
import type { Pulse } from '../shared/pulse.ts'
import type { HousekeepingActivities, StoreCatalogInput } from './types.ts'

export type * from './types.ts'

/** Versions beyond those that rules keep before a sweep is worth its listing. */
const slack = 8

export function createHousekeepingActivities(site: Site): HousekeepingActivities {
  return {
    storeCatalog: (input) =>
      beating(site, (pulse) =>
        site.repository(input.repository, (repository) => store(site, repository, input, pulse)),
      ),
    measureUsage: (input) =>
      beating(site, ({ signal }) => site.repository(input.repository, (repository) => repository.usage(signal))),
    sweepCatalog: (input) =>
      beating(site, ({ signal }) => site.repository(input.repository, (repository) => sweep(site, repository, signal))),
  }
}

async function store(
  site: Site,
  repository: Repository,
  input: StoreCatalogInput,
  { signal }: Pulse,
): Promise<{ stem: string; versions: number }> {
  const { installation, installationName } = site.options
  const { snap, session, copy } = input
  const series = repository.series(catalogVm(installation))
  const there = await versionsOf(repository, series, signal)
  const known = there.find((one) => one.snap === snap)
  if (known === undefined) {
    const spec = { session, snap, series, createdMs: copy.createdMs, parentStem: null, parts: [], point: null }
    await repository.openSession({ ...spec, owner: installation }, signal)
    await repository.commit({
      session,
      attempt: Context.current().info.attempt,
      results: [],
      vm: {
        id: 'catalog',
        name: `Catalog of ${installationName}`,
        platform: 'holdfast',
        scope: installation,
        tags: [],
      },
      point: { origin: 'catalog', startedMs: copy.createdMs, run: input.run },
      consistency: {
        level: 'application',
        detail: JSON.stringify({ schema: copy.schema, repositoryId: input.repository.id }),
      },
      hypervisor: { platform: 'holdfast', version: '', host: hostname() },
      disks: [],
      configs: catalogParts(copy.bytes, checked(site, input, signal)),
      retention: { class: '', policy: 'own-backup' },
      signal,
      onProgress: () => undefined,
    })
  }
  if ((await repository.readSession(session)) !== undefined) await repository.endSession(session, 'committed')
  const versions = await versionsOf(repository, series, signal)
  const made = versions.find((one) => one.snap === snap)
  if (made === undefined)
    throw new HoldfastError('ListingIncomplete', `the catalog was stored in ${input.repository.name} and is not listed`)
  await readBack(repository, made.stem, copy.bytes, signal)
  return { stem: made.stem, versions: versions.length }
}

/** The copy as the control plane hands it out; what arrives damaged or cut never becomes a point. */
async function* checked(
  site: Site,
  { snap, copy }: StoreCatalogInput,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of site.options.catalogCopy(snap, signal)) {
    hash.update(piece)
    bytes += piece.length
    yield piece
  }
  if (bytes !== copy.bytes || hash.digest('hex') !== copy.sha256) {
    throw new HoldfastError(
      'NetworkFailure',
      `the copy of the catalog did not arrive whole: ${bytes} of ${copy.bytes} bytes`,
    )
  }
}

/** A claim is a proof: every byte comes back, through all checks of a restore. */
async function readBack(repository: Repository, stem: string, expected: number, signal: AbortSignal): Promise<void> {
  await using point = await repository.openPoint(stem)
  let bytes = 0
  for await (const piece of readCatalog(point)) {
    signal.throwIfAborted()
    bytes += piece.length
  }
  if (bytes !== expected) throw new HoldfastError('FormatError', `${stem} holds ${bytes} bytes of ${expected}`)
}

async function versionsOf(
  repository: Repository,
  series: string,
  signal: AbortSignal,
): Promise<{ readonly stem: string; readonly snap: string; readonly createdMs: number }[]> {
  const found = []
  for await (const { stem, snap, createdMs, state } of repository.listPoints({ series, signal }))
    if (state === 'recovery-point') found.push({ stem, snap, createdMs })
  return found
}

async function sweep(
  site: Site,
  repository: Repository,
  signal: AbortSignal,
): Promise<{ readonly versions: number; readonly removed: number }> {
  const series = repository.series(catalogVm(site.options.installation))
  const versions = await versionsOf(repository, series, signal)
  const points = versions.map(({ stem, createdMs }) => ({
    id: stem,
    timeMs: createdMs,
    origin: 'catalog' as const,
    guard: null,
  }))
  const going = retention(points, ownBackupKeeps, site.now()).filter(({ keptBy }) => keptBy.length === 0)
  if (going.length < slack) return { versions: versions.length, removed: 0 }
  const remove = going.map(({ id: stem }) => ({ stem, policy: 'own-backup' }))
  // More than half may go at once: a busy day ends with one version of it.
  const report = await repository.prune({ remove, reason: 'retention', actor: 'housekeeping', maxShare: 1, signal })
  return { versions: versions.length - report.tombstoned.length, removed: report.tombstoned.length }
}
