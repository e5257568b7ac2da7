/**
 * Retention at the repository: what is there, tombstones, garbage collection, holds. The site decides nothing about what
 * goes: it is told, and refuses what the repository's own guards keep.
 */
import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import { probeLocation, type CollectOptions, type CollectReport, type Repository } from '../../repository/index.ts'
import type { Site } from '../shared/deps.ts'
import type { Pulse } from '../shared/pulse.ts'
import { packBlob, surveyParts, unpackBlob } from './blob.ts'
import { holdPoints } from './hold.ts'
import { keptError } from './kept.ts'
import { telling } from '../shared/telling.ts'
import type { CollectionSummary, RetentionActivities, Survey } from './types.ts'

export type * from './types.ts'

/** Notes of a collection that travel with its result; the rest is a number. */
const notesKept = 5

export function createRetentionActivities(site: Site): RetentionActivities {
  return {
    surveyRetention: ({ repository: ref, series }) =>
      telling(site, ref, 'reading the points', (repository, pulse) => survey(site, repository, series, pulse)),
    tombstonePoints: ({ repository: ref, points, actor }) =>
      telling(site, ref, `putting ${points.length} tombstones`, async (repository, { signal }) => {
        // How much may go at once was decided for the whole plan: a batch is only a part of it.
        const { refused } = await repository.prune({
          remove: points,
          reason: 'retention',
          actor,
          tidy: false,
          maxShare: 1,
          signal,
        })
        return { refused: refused.map(({ stem, why }) => ({ stem, why })) }
      }),
    tidyRepository: ({ repository: ref, actor }) =>
      telling(site, ref, 'removing what has a tombstone', async (repository, { signal }) => {
        const done = await repository.prune({ remove: [], reason: 'retention', actor, signal })
        return { abandoned: done.abandoned.length, removed: done.removed, forgotten: done.forgotten }
      }),
    collectGarbage: ({ repository: ref, known, waits }) =>
      telling(site, ref, 'beginning', async (repository, pulse, say) => {
        const options: CollectOptions = {
          ...(waits === 'none' && { waits: 'none' }),
          ...(known !== null && { knownPoints: await snapsOf(site, known) }),
          signal: pulse.signal,
          onProgress: say,
        }
        return summaryOf(await collectProbed(repository, options, say))
      }),
    holdPoint: ({ repository: ref, stem, type, actor, reason }) =>
      telling(site, ref, 'placing the hold', async (repository, { signal }) => ({
        hold: await repository.hold({ stem, type, actor, reason }, signal),
      })),
    releaseHolds: ({ repository: ref, holds }) =>
      telling(site, ref, 'releasing the hold', async (repository) => {
        for (const hold of holds) await repository.release(hold)
      }),
    holdPoints: (of) =>
      telling(site, of.repository, `holding ${of.stems.length} points`, (repository, pulse, say) =>
        holdPoints(repository, of, pulse.signal, say),
      ),
    releaseHoldsBy: ({ repository: ref, actor }) =>
      telling(site, ref, 'releasing the holds', async (repository, { signal }) => {
        const released = (await repository.listHolds(signal)).filter((hold) => hold.actor === actor)
        for (const { name } of released) await repository.release(name)
        return { released: released.map(({ name }) => name) }
      }),
    removePoint: ({ repository: ref, stem, actor }) =>
      telling(site, ref, 'removing the point', async (repository, { signal }) => {
        const { refused } = await repository.prune({
          remove: [{ stem }],
          reason: 'operator',
          actor,
          maxShare: 1,
          signal,
        })
        const [no] = refused
        if (no !== undefined) throw keptError(stem, no.why)
      }),
  }
}

/** Nobody is there at night to repeat a probe that has become too old (format §9.8): the collection does. */
async function collectProbed(
  repository: Repository,
  options: CollectOptions,
  say: (what: string) => void,
): Promise<CollectReport> {
  try {
    return await repository.collect(options)
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'ProbeOutdated') throw error
    say('testing the store in full: its last test is older than a week')
    await probeLocation(repository.location)
    options.signal.throwIfAborted()
    return await repository.collect(options)
  }
}

async function survey(
  site: Site,
  repository: Repository,
  only: string | undefined,
  { signal }: Pulse,
): Promise<Survey> {
  const atMs = await repository.retentionClock()
  const all = await repository.retentionPoints(signal, only === undefined ? undefined : [only])
  // Copies of the catalog have a keeper of their own.
  const points = all.filter(({ origin }) => origin !== 'catalog')
  const removed = await repository.removedPoints(signal)
  const holds = await repository.listHolds(signal)
  const blobs: string[] = []
  for (const part of surveyParts(repository.id, points, removed, holds)) {
    signal.throwIfAborted()
    blobs.push(await site.options.evidence.put(packBlob(part), 'text/plain'))
  }
  const series = new Set(points.map((point) => point.series)).size
  return { blobs, points: points.length, series, held: new Set(holds.map(({ snap }) => snap)).size, atMs }
}

async function snapsOf(site: Site, blob: string): Promise<readonly string[]> {
  const snaps = unpackBlob(await site.options.evidence.get(blob))
  if (Array.isArray(snaps) && snaps.every((snap) => typeof snap === 'string')) return snaps
  throw new HoldfastError('FormatError', 'the list of known points is not one')
}

function summaryOf(report: CollectReport): CollectionSummary {
  const { outcome, roots, listed, live, condemned, reprieved, deleted, copied, kept, notes, durationMs } = report
  const more = notes.length - notesKept
  return {
    outcome,
    roots,
    listed,
    live,
    condemned,
    reprieved,
    deleted,
    copied,
    waiting: kept.waiting,
    young: kept.young,
    unknown: kept.unknown,
    notes: [
      ...notes.slice(0, notesKept).map((note) => note.slice(0, 300)),
      ...(more > 0 ? [`and ${more} more notes`] : []),
    ],
    durationMs,
  }
}
