/** Verify at the repository: reads and judges, repairs nothing, and hands what it found to the control plane. */
import type { Stem } from '../../repository/index.ts'
import type { Site } from '../shared/deps.ts'
import { telling } from '../shared/telling.ts'
import { damagesKept, findingsParts } from './findings.ts'
import type { VerifyActivities } from './types.ts'

export type * from './types.ts'

/** Notes that travel with the result; the rest is a number. */
const notesKept = 5
const noteChars = 400

export function createVerifyActivities(site: Site): VerifyActivities {
  return {
    beginVerify: ({ repository: ref }) =>
      telling(site, ref, 'opening the repository', async (repository, { signal }) => {
        const atMs = site.now()
        let points = 0
        for await (const _point of repository.listPoints({ signal, unreadable: 'show' })) points += 1
        return { atMs, points }
      }),
    checkRepository: ({ repository: ref, level, quarantine, budgetBytes, sinceMs }) =>
      telling(site, ref, 'reading keys, records and the index', async (repository, { signal }, say) => {
        const checked: Stem[] = []
        const report = await repository.verify({
          level,
          quarantine,
          ...(budgetBytes !== null && { budget: budgetBytes }),
          since: sinceMs,
          shared: site.options.verifyLedger(ref.id),
          onPoint: (stem) => checked.push(stem),
          signal,
          onProgress: (done, total, what) => say(`${done} of ${total} packs and points: ${what}`),
        })
        const blobs: string[] = []
        for (const part of findingsParts(repository.id, report, checked)) {
          signal.throwIfAborted()
          blobs.push(await site.options.evidence.put(part, 'text/plain'))
        }
        const { points, packs, packsResumed, chunks, bytes, damages, quarantined, coverage } = report
        const cut = `${damages.length} damages were found, of which ${damagesKept} are listed; points were judged by all`
        const notes = damages.length > damagesKept ? [cut, ...report.notes] : report.notes
        const proved = damages.filter((damage) => damage.proved).length
        return {
          blobs,
          points,
          packs,
          packsResumed,
          chunks,
          bytes,
          damages: proved,
          unreadable: damages.length - proved,
          quarantined,
          notes: notes.slice(0, notesKept).map((note) => note.slice(0, noteChars)),
          notesLeft: Math.max(0, notes.length - notesKept),
          coverage,
        }
      }),
  }
}
