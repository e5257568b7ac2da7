/**
 * Brings an installation back from its repositories: the newest catalog that one of them holds, then what the
 * repositories really hold. Where there is no catalog, points and VMs come from manifests alone. Killed anywhere, it is
 * started again: nothing counts before the catalog has its name.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { HoldfastError, locationText } from '../../base/index.ts'
import { openCatalog, removeCopy, slugOf, type Catalog, type RepositoryView } from '../../catalog/index.ts'
import { openRepository, type Repository } from '../../repository/index.ts'
import { homeOf, makeHome, type Home } from '../config.ts'
import { adoptInstallation, type InstallationIdentity } from '../installation.ts'
import { takePlace } from '../place.ts'
import { chooseInstallation, findCatalogs, openNewest } from './find.ts'
import { reconcile, unknownAddress } from './reconcile.ts'
import { keepPassphrase, missingSecrets } from './secrets.ts'
import type { FoundCatalog, RebuildOptions, RebuildReport, Reconciled } from './types.ts'

export type { MissingSecret, RebuildOptions, RebuildReport, Reconciled } from './types.ts'

/** Throws AlreadyRunning while a server runs in the home, ConfigInvalid where a catalog is there (or none to reconcile). */
export async function rebuild(options: RebuildOptions): Promise<RebuildReport> {
  const home = homeOf(options.env)
  const there = existsSync(home.catalog)
  if (there !== options.reconcile) throw wrongHome(home, there)
  if (options.dryRun && !there) return inFolder(home, (folder) => work(options, home, join(folder, 'catalog.db')))
  makeHome(home)
  using _server = await takePlace(home, 'server')
  if (!options.reconcile) return work(options, home, `${home.catalog}.rebuilding`)
  if (!options.dryRun) return work(options, home, home.catalog)
  // A dry run of a comparison compares a copy.
  return inFolder(home, async (folder) => {
    const path = join(folder, 'catalog.db')
    using catalog = openCatalog({ path: home.catalog, now: options.now })
    await catalog.own.copyTo(path, { onProgress: () => undefined })
    return work(options, home, path)
  })
}

async function inFolder(home: Home, run: (folder: string) => Promise<RebuildReport>): Promise<RebuildReport> {
  const folder = mkdtempSync(join(existsSync(home.root) ? home.root : tmpdir(), 'rebuild-'))
  try {
    return await run(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `path`: the catalog that is made; it takes its real name at the end, unless nothing is to be changed. */
async function work(options: RebuildOptions, home: Home, path: string): Promise<RebuildReport> {
  const startedMs = options.now()
  const opened: Repository[] = []
  const skipped: { stem: string; why: string }[] = []
  const cacheDir = join(home.cache, 'rebuild')
  await using closing = new AsyncDisposableStack()
  for (const location of options.locations) {
    options.onProgress(`opening ${locationText(location)}`)
    opened.push(closing.use(await openRepository({ location, secret: options.secret, cacheDir })))
  }
  let found: FoundCatalog | null = null
  let from: { readonly repository: Repository; readonly id: string } | null = null
  let catalog: Catalog
  if (options.reconcile) catalog = openCatalog({ path, now: options.now })
  else {
    const newest = await newestCatalog(options, opened, path, (stem, why) => void skipped.push({ stem, why }))
    if (newest === null) await removeCopy(path)
    found = newest?.found ?? null
    catalog = newest?.catalog ?? openCatalog({ path, now: options.now })
    if (newest !== null && newest.repositoryId !== null)
      from = { repository: newest.repository, id: newest.repositoryId }
  }
  using _catalog = catalog
  const identity = identityOf(catalog, found, options)
  if (!options.reconcile) catalog.own.forget()
  const reconciled: Reconciled[] = []
  // All of them first: a copy says by this of which one it is.
  const rows = new Map<string, Repository>()
  for (const repository of opened) {
    const id = rowOf(catalog, home, repository, from?.repository === repository ? from.id : null)
    catalog.repositories.identify(id, repository.id)
    // Two places that are one store are looked at once.
    rows.set(id, repository)
  }
  for (const [id, repository] of rows) {
    if (!options.dryRun) await keepPassphrase(catalog, home, id, options.secret)
    const onProgress = (points: number): void =>
      options.onProgress(`${locationText(repository.location)}: ${points} points looked at`)
    reconciled.push(await reconcile(catalog, repository, id, { now: options.now, signal: options.signal, onProgress }))
  }
  const report = await reportOf(options, home, catalog, { found, skipped, identity, reconciled, startedMs })
  catalog.close()
  if (!options.dryRun && !options.reconcile) {
    // Before the catalog has its name: with it, the home is whole.
    adoptInstallation(home, identity)
    await settle(path, home.catalog)
  }
  return report
}

async function newestCatalog(
  options: RebuildOptions,
  opened: readonly Repository[],
  path: string,
  onSkip: (stem: string, why: string) => void,
) {
  const versions: (FoundCatalog & { readonly repository: Repository })[] = []
  for (const repository of opened) {
    options.onProgress(`looking for a catalog in ${locationText(repository.location)}`)
    for (const one of await findCatalogs(repository, options.signal)) versions.push({ ...one, repository })
  }
  const mine = chooseInstallation(versions, options.installation)
  const sorted = versions.filter((one) => mine.some(({ stem }) => stem === one.stem))
  sorted.sort((a, b) => b.createdMs - a.createdMs)
  const repositoryOf = (of: FoundCatalog): Repository => {
    const match = sorted.find((one) => one === of)
    if (!match) throw new HoldfastError('Internal', `${of.stem} is of no repository`)
    return match.repository
  }
  const newest = await openNewest(sorted, repositoryOf, path, onSkip)
  return newest && { ...newest, repository: repositoryOf(newest.found) }
}

/** Without a catalog the marks on VMs are those of an installation that only a person can name. */
function identityOf(catalog: Catalog, found: FoundCatalog | null, options: RebuildOptions): InstallationIdentity {
  const { uuid, name } = catalog.installation.get()
  if (found === null && options.installation !== undefined && !options.reconcile) {
    catalog.installation.adopt(options.installation, name)
    return { uuid: options.installation, name }
  }
  return { uuid, name }
}

/**
 * The catalog's row of a repository, which may lie at another place by now; a new one where there is none. Of two rows for one
 * store it is the one that says so: the other, which `known` may be, is left as it was and told among those not looked at.
 */
function rowOf(catalog: Catalog, home: Home, repository: Repository, known: string | null): string {
  const { location } = repository
  const rows = [...catalog.repositories.all()]
  const isThere = (one: RepositoryView): boolean => JSON.stringify(one.location) === JSON.stringify(location)
  const row =
    rows.find(({ uuid }) => uuid === repository.id) ?? rows.find(({ id }) => id === known) ?? rows.find(isThere)
  if (row) {
    // Another row may name the place: then the same store was registered twice, and this is the one that counts.
    if (!rows.some(isThere)) catalog.repositories.move(row.id, { location })
    return row.id
  }
  const plain = basename(locationText(location).split('?')[0] ?? '') || 'repository'
  const taken = new Set(rows.map(({ name }) => name))
  const name = taken.has(plain) ? `${plain}-${repository.id.slice(0, 8)}` : plain
  const credentialRef = `file:${join(home.secrets, `repository-${slugOf(name)}`)}`
  return catalog.repositories.add({ name, site: 'local', location, credentialRef }).id
}

async function reportOf(
  options: RebuildOptions,
  home: Home,
  catalog: Catalog,
  made: {
    readonly found: FoundCatalog | null
    readonly skipped: RebuildReport['skipped']
    readonly identity: InstallationIdentity
    readonly reconciled: readonly Reconciled[]
    readonly startedMs: number
  },
): Promise<RebuildReport> {
  const looked = new Set(made.reconciled.map(({ repositoryId }) => repositoryId))
  return {
    dryRun: options.dryRun,
    home: home.root,
    catalog: made.found && {
      location: made.found.location,
      stem: made.found.stem,
      installation: made.found.installation,
      createdMs: made.found.createdMs,
    },
    skipped: made.skipped,
    installation: made.identity,
    tables: catalog.recovery.tables(),
    reconciled: made.reconciled,
    notLookedAt: [...catalog.repositories.all()].map(({ id }) => id).filter((id) => !looked.has(id)),
    missing: await missingSecrets(catalog),
    withoutAddress: [...catalog.endpoints.all()]
      .filter(({ address }) => address === unknownAddress)
      .map(({ id }) => id),
    withoutToken: catalog.sites
      .list()
      .map(({ name }) => name)
      .filter((name) => name !== 'local' && catalog.access.ofSite(name).length === 0),
    tookMs: options.now() - made.startedMs,
  }
}

/** Gives the finished catalog its name; what SQLite had beside it was taken in when it was closed. */
async function settle(path: string, name: string): Promise<void> {
  {
    await using file = await open(path, 'r')
    await file.sync()
  }
  await rename(path, name)
  await using folder = await open(join(name, '..'), 'r')
  await folder.sync()
}

function wrongHome(home: Home, there: boolean): HoldfastError {
  return there
    ? new HoldfastError('ConfigInvalid', `there is a catalog in ${home.root} already`, {
        hint: 'To compare it with the repositories: --reconcile. To bring back an older one, move that folder away first.',
      })
    : new HoldfastError('ConfigInvalid', `there is no catalog in ${home.root} to compare`, {
        hint: 'Without --reconcile it is brought back from the repositories.',
      })
}
