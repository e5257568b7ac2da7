import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import type { Installation } from './installation.ts'
import { waitForCompletion, type Runbook } from './runs.ts'

/** What a copy step reports about itself; the keys are those of its activity's result. */
interface CopyFigures {
  readonly readBytes: number
  readonly newBytes: number
  readonly bytesResumed: number
  /** null: not measured, of one disk at least. */
  readonly bytesReadAgain: number | null
}

export interface Backup {
  readonly book: Runbook
  readonly point: Schemas['PointDetail']
  /** Sum over all disks. */
  readonly copied: CopyFigures
  readonly copyMs: number
}

export type Tuning = NonNullable<Schemas['BackupRequest']['tuning']>

export async function startBackup(
  at: Installation,
  vmId: string,
  wish: { readonly mode: 'auto' | 'full'; readonly tuning: Tuning; readonly repositoryId?: string },
): Promise<string> {
  const { runId } = await ask(
    at.api.POST('/vms/{id}/backups', { params: { path: { id: vmId } }, body: { ...requestDefaults, ...wish } }),
  )
  return runId
}

const requestDefaults = {
  origin: 'manual',
  name: null,
  description: null,
  compressionLevel: 1,
  reason: 'demo',
} as const

/** Waits for the run and reads what it made. */
export async function finishBackup(at: Installation, vmId: string, runId: string): Promise<Backup> {
  const book = await waitForCompletion(at.api, runId)
  const { items } = await ask(at.api.GET('/vms/{id}/points', { params: { path: { id: vmId }, query: { limit: 50 } } }))
  const row = items.find((point) => point.run?.runId === runId)
  if (!row) throw new HoldfastError('NotFound', `the run ${runId} completed, but its point is not in the catalog`)
  const point = await ask(at.api.GET('/points/{id}', { params: { path: { id: row.id } } }))
  const copy = book.phases.find(({ phase }) => phase === 'copy')
  const figures = copySteps(book)
  const sum = (of: (it: CopyFigures) => number): number => figures.reduce((total, it) => total + of(it), 0)
  const isMeasured = figures.length > 0 && figures.every((it) => it.bytesReadAgain !== null)
  return {
    book,
    point,
    copied: {
      readBytes: sum((it) => it.readBytes),
      newBytes: sum((it) => it.newBytes),
      bytesResumed: sum((it) => it.bytesResumed),
      bytesReadAgain: isMeasured ? sum((it) => it.bytesReadAgain ?? 0) : null,
    },
    copyMs: (copy?.endedMs ?? 0) - (copy?.startedMs ?? 0),
  }
}

function copySteps(book: Runbook): CopyFigures[] {
  const steps = book.phases.find(({ phase }) => phase === 'copy')?.steps ?? []
  return steps.flatMap(({ result }) => (isCopyFigures(result) ? [result] : []))
}

function isCopyFigures(result: unknown): result is CopyFigures {
  const figures = (typeof result === 'object' && result !== null ? result : {}) as Partial<CopyFigures>
  const { bytesReadAgain } = figures
  return typeof figures.readBytes === 'number' && (bytesReadAgain === null || typeof bytesReadAgain === 'number')
}

/**
 * What a restore wrote, by its steps' own results, and how long from the first disk's start to the last one's end; the
 * disks are written side by side.
 */
export function writeFigures(book: Runbook): { readonly writtenBytes: number; readonly writeMs: number } {
  const moves = book.phases.flatMap(({ steps }) => steps).flatMap((step) => (isWrite(step) ? [step] : []))
  const starts = moves.map(({ startedMs }) => startedMs ?? Infinity)
  const ends = moves.map(({ endedMs }) => endedMs ?? -Infinity)
  return {
    writtenBytes: moves.reduce((total, { result }) => total + result.writtenBytes, 0),
    writeMs: Math.max(0, Math.max(...ends) - Math.min(...starts)),
  }
}

type Step = Runbook['phases'][number]['steps'][number]

function isWrite(step: Step): step is Step & { readonly result: { readonly writtenBytes: number } } {
  const { result } = step
  return (
    typeof result === 'object' &&
    result !== null &&
    typeof (result as Partial<{ writtenBytes: unknown }>).writtenBytes === 'number'
  )
}

/**
 * Waits until a part of the newest session has written so many journals: as much of the disk is durable then. Looked
 * up in the repository's own folder, because a progress report would be seconds old.
 */
export async function waitForJournals(
  repository: string,
  before: ReadonlySet<string>,
  journals: number,
): Promise<number> {
  const deadline = Date.now() + 120_000
  for (;;) {
    const count = newJournals(repository, before)
    if (count >= journals) return count
    if (Date.now() > deadline)
      throw new HoldfastError('Stalled', `the copy wrote ${count} of ${journals} journals in two minutes`)
    await sleep(3)
  }
}

/** Objects of all sessions so far. */
export function sessionObjects(repository: string): ReadonlySet<string> {
  const folder = join(repository, 'sess')
  return new Set(existsSync(folder) ? readdirSync(folder) : [])
}

/** Names are `<session32>-<part4>-<attempt4>-<seq6>`; part 0 opens and commits, the others write journals. */
function newJournals(repository: string, before: ReadonlySet<string>): number {
  const parts = new Map<string, number>()
  for (const name of sessionObjects(repository)) {
    if (before.has(name) || name.slice(33, 37) === '0000') continue
    const part = name.slice(0, 37)
    parts.set(part, (parts.get(part) ?? 0) + 1)
  }
  return Math.max(0, ...parts.values())
}

/** Guest commands that look at the restored disks: every file has its hash, the audit chain is whole. */
export function guestChecks(rows: { readonly atLeast: number; readonly atMost: number }): Schemas['DrillCheck'][] {
  const expected = (rows.atLeast + rows.atMost) / 2
  const base = { args: [], timeoutMs: 120_000, expectExit: 0 }
  return [
    { ...base, title: 'Every file has its hash', path: '/usr/bin/check-integrity', count: null },
    {
      ...base,
      title: 'The audit trail is whole and as long as it was',
      path: '/usr/bin/audit-verify',
      // The guest kept writing while the point was taken: the count lies between the two that were read around it.
      count: { expected, tolerance: (rows.atMost - rows.atLeast + 2) / 2 / expected },
    },
  ]
}
