import { HoldfastError } from '../../base/index.ts'
import { unknownRemover, type Catalog, type RepositoryView } from '../../catalog/index.ts'
import type { Repository, SeriesHead } from '../../repository/index.ts'

const page = 500

export interface LookOptions {
  /** `fresh`: nothing that an earlier opening has learnt is believed. */
  readonly open: (fresh: boolean) => Promise<Repository>
  readonly now: () => number
  readonly signal: AbortSignal
}

/**
 * Makes the catalog say which recovery points a repository holds: those that are not there any more count for nothing, those
 * that are there again count. Whatever throws has changed nothing: what could not be read is not absent. Never adds a point:
 * the run that makes one writes it down itself. After the signal it changes nothing, however late a store answers.
 */
export async function lookAt(catalog: Catalog, row: RepositoryView, options: LookOptions): Promise<void> {
  const { now, signal } = options
  const { watches } = catalog
  watches.beginLook(row.id)
  let repository = await openExpected(catalog, row, options, false)
  let seen = await pass(catalog, row.id, repository, signal)
  if (watches.missing(1).length > 0) {
    // A mount that went away lists as an empty folder. Only a place that opens anew as this repository says what is gone.
    repository = await openExpected(catalog, row, options, true)
    seen = await pass(catalog, row.id, repository, signal)
  }
  const removed = watches.missing(1).length > 0 ? await repository.removedPoints(signal) : []
  const returned = await entriesOf(repository, seen.returned, signal)
  signal.throwIfAborted()
  catalog.transaction(() => {
    const ms = now()
    for (const { stem, validatedMs } of returned) {
      const copy = catalog.copies.at(row.id, stem)
      if (copy !== undefined) catalog.points.recordFound(copy.pointId, validatedMs, row.id)
    }
    // What a sweep took, or a verify condemned, while this look was under way is known to the catalog already.
    const missing = new Set(
      watches
        .missing(Number.MAX_SAFE_INTEGER)
        .filter((id) => (catalog.copies.find(id, row.id)?.validatedMs ?? null) !== null),
    )
    const onPurpose = removed.filter((stem) => missing.delete(catalog.copies.at(row.id, stem)?.pointId ?? ''))
    catalog.retained.recordRemoved(row.id, onPurpose, {
      ms,
      by: unknownRemover,
      why: 'it carries a tombstone that counts',
    })
    for (const id of missing) catalog.points.recordGone(id, ms, row.id)
    const { series, points, unreadable, unreadableObject } = seen
    watches.recordLook(row.id, {
      lookedMs: ms,
      uuid: repository.id,
      series,
      points,
      unreadable,
      unreadableObject,
      vanished: missing.size,
      returned: returned.length,
    })
  })
}

/** Throws RepositoryForeign where another repository is at this place now. */
async function openExpected(
  catalog: Catalog,
  row: RepositoryView,
  { open, signal }: LookOptions,
  fresh: boolean,
): Promise<Repository> {
  const repository = await open(fresh)
  signal.throwIfAborted()
  // A person who tests it has seen which one is there.
  const expected = row.uuid ?? row.test?.repositoryUuid ?? catalog.watches.find(row.id)?.uuid ?? null
  if (expected === null || repository.id === expected) return repository
  throw new HoldfastError('RepositoryForeign', `another repository is at the place of ${row.name} now`, {
    hint: `Bring back the one that was there; if the other is meant, test it: \`holdfast repository test ${row.id}\`.`,
  })
}

interface Seen {
  readonly series: number
  readonly points: number
  readonly unreadable: number
  readonly unreadableObject: SeriesHead['unreadable']
  /** Ids that the catalog has as gone, by series. */
  readonly returned: ReadonlyMap<string, ReadonlySet<string>>
}

async function pass(catalog: Catalog, id: string, repository: Repository, signal: AbortSignal): Promise<Seen> {
  const returned = new Map<string, Set<string>>()
  const count = { series: 0, points: 0, unreadable: 0 }
  let unreadableObject: SeriesHead['unreadable'] = null
  for await (const head of repository.heads(signal)) {
    signal.throwIfAborted()
    count.series += 1
    count.points += head.standing.length
    if (head.unreadable !== null) count.unreadable += 1
    unreadableObject ??= head.unreadable
    for (let from = 0; from < head.standing.length; from += page) {
      const again = catalog.watches.saw(id, head.standing.slice(from, from + page))
      if (again.length > 0) returned.set(head.series, new Set([...(returned.get(head.series) ?? []), ...again]))
    }
  }
  signal.throwIfAborted()
  return { ...count, unreadableObject, returned }
}

/** Of those that are back: what each says itself. A name alone makes no recovery point. */
async function entriesOf(
  repository: Repository,
  returned: Seen['returned'],
  signal: AbortSignal,
): Promise<{ readonly stem: string; readonly validatedMs: number }[]> {
  const found: { stem: string; validatedMs: number }[] = []
  for (const [series, ids] of returned)
    for await (const entry of repository.listPoints({ series, signal, unreadable: 'show' })) {
      const { snap, stem, state, validatedMs } = entry
      const stands = state === 'recovery-point' || state === 'held'
      if (ids.has(snap) && stands && validatedMs !== null) found.push({ stem, validatedMs })
    }
  return found
}
