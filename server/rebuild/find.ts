import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { HoldfastError, describeError } from '../../base/index.ts'
import { openCatalog, removeCopy, type Catalog } from '../../catalog/index.ts'
import { holdsCatalog, readCatalog, type Repository } from '../../repository/index.ts'
import type { FoundCatalog } from './types.ts'

/**
 * Every version of every catalog in a repository, newest first. Which installation made it is asked of one manifest a
 * series: nobody has to know it before.
 */
export async function findCatalogs(repository: Repository, signal: AbortSignal): Promise<FoundCatalog[]> {
  const found: FoundCatalog[] = []
  const installationOf = new Map<string, string | null>()
  for await (const { series, stem, createdMs, state } of repository.listPoints({ signal, unreadable: 'show' })) {
    if (state !== 'recovery-point') continue
    let installation = installationOf.get(series)
    if (installation === undefined) {
      installation = await catalogOwner(repository, stem)
      installationOf.set(series, installation)
    }
    if (installation !== null) found.push({ location: repository.location, stem, installation, createdMs })
  }
  return found.sort((a, b) => b.createdMs - a.createdMs)
}

/** Null: it is a point of disks, or cannot be read; then an older one of the series will not help either. */
async function catalogOwner(repository: Repository, stem: string): Promise<string | null> {
  try {
    await using point = await repository.openPoint(stem)
    return holdsCatalog(point.info) ? point.info.vm.scope : null
  } catch {
    return null
  }
}

/** Which installation; throws where several have catalogs and nobody says whose is meant. */
export function chooseInstallation(found: readonly FoundCatalog[], wanted: string | undefined): FoundCatalog[] {
  const all = [...new Set(found.map(({ installation }) => installation))]
  if (wanted !== undefined) {
    const mine = found.filter(({ installation }) => installation === wanted)
    if (mine.length > 0 || all.length === 0) return mine
    throw new HoldfastError('NotFound', `no repository holds a catalog of the installation ${wanted}`, {
      hint: `There are catalogs of: ${all.join(', ')}.`,
    })
  }
  if (all.length <= 1) return [...found]
  throw new HoldfastError('InvalidRequest', `the repositories hold catalogs of ${all.length} installations`, {
    hint: `Say whose with --installation: ${all.join(', ')}. Its newest marks are on the VMs that it protects.`,
  })
}

/** Opens the newest version that is whole, in `path`. Null: none is. */
export async function openNewest(
  versions: readonly FoundCatalog[],
  repositoryOf: (found: FoundCatalog) => Repository,
  path: string,
  onSkip: (stem: string, why: string) => void,
): Promise<{ readonly found: FoundCatalog; readonly catalog: Catalog; readonly repositoryId: string | null } | null> {
  for (const found of versions) {
    await removeCopy(path)
    let catalog: Catalog | undefined
    try {
      const repositoryId = await fetchCatalog(repositoryOf(found), found.stem, path)
      catalog = openCatalog({ path })
      const damage = catalog.integrity()
      if (damage !== 'ok') throw new HoldfastError('FormatError', damage)
      return { found, catalog, repositoryId }
    } catch (error) {
      catalog?.close()
      // A newer version of this program made it: an older catalog would hide from whoever rebuilds what he has.
      if (error instanceof HoldfastError && error.code === 'FormatUnsupported') throw error
      onSkip(found.stem, describeError(error))
    }
  }
  await removeCopy(path)
  return null
}

/** Writes it to `path` through all checks of a restore. Returns what the catalog calls this repository. */
async function fetchCatalog(repository: Repository, stem: string, path: string): Promise<string | null> {
  await using point = await repository.openPoint(stem)
  await pipeline(readCatalog(point), createWriteStream(path, { mode: 0o600 }))
  await using file = await open(path, 'r')
  await file.sync()
  return idIn(point.info.consistency.detail)
}

function idIn(detail: string): string | null {
  try {
    const { repositoryId } = JSON.parse(detail) as { readonly repositoryId?: unknown }
    return typeof repositoryId === 'string' ? repositoryId : null
  } catch {
    return null
  }
}
