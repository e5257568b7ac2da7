import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { describeError, GiB } from '../../base/index.ts'
import type { CommitResult, DiskSource, PartPlan, PartResult, Repository } from '../../repository/index.ts'

export interface ImportOptions {
  /** Series that the point joins: another import under this name is its next point. */
  readonly vm: string
  readonly disk: string
  readonly name: string | null
  readonly nowMs: number
  readonly compressionLevel: number
  readonly signal: AbortSignal
  readonly onProgress: (done: number, total: number) => void
  /** What went wrong after the point was made, and does not concern it. */
  readonly warn: (text: string) => void
}

const pagesPerPart = 256

/** Ranges of whole pages (1 GiB), 256 of them to a part (repository format §7.1). */
export function partsOf(disk: string, size: number): PartPlan[] {
  const pages = Math.ceil(size / GiB)
  return Array.from({ length: Math.ceil(pages / pagesPerPart) }, (_, index) => ({
    part: index + 1,
    disk,
    firstPage: index * pagesPerPart,
    nPages: Math.min(pagesPerPart, pages - index * pagesPerPart),
  }))
}

function uuid32(): string {
  return randomUUID().replaceAll('-', '')
}

/** Makes a recovery point of one disk; a failure ends the session, so that nothing waits for it. */
export async function importDisk(
  repository: Repository,
  source: DiskSource,
  options: ImportOptions,
): Promise<CommitResult & { readonly parts: readonly PartResult[] }> {
  const { vm, disk, signal, nowMs } = options
  const platform = 'image'
  const scope = 'import'
  const session = uuid32()
  const parts = partsOf(disk, source.size)
  await repository.openSession(
    {
      session,
      snap: uuid32(),
      series: repository.series({ platform, scope, vm }),
      createdMs: nowMs,
      parentStem: null,
      owner: uuid32(),
      parts,
      point: null,
    },
    signal,
  )
  const made = await makePoint().catch(async (error: unknown) => {
    await endFailed(repository, session, error)
    throw error
  })
  try {
    await repository.endSession(session, 'committed')
  } catch (error) {
    // The point is there. A session that nobody ends lapses by itself, and is swept.
    options.warn(`the point was made; its session could not be closed: ${describeError(error)}`)
  }
  return made

  async function makePoint(): Promise<CommitResult & { readonly parts: readonly PartResult[] }> {
    const results: PartResult[] = []
    for (const { part, firstPage } of parts) {
      results.push(
        await repository.copyPart({
          session,
          part,
          attempt: 1,
          diskBytes: source.size,
          source,
          mode: 'full',
          compressionLevel: options.compressionLevel,
          // One that was interrupted begins again: nobody would read its journals.
          journalSourceBytes: Infinity,
          signal,
          onProgress: ({ offset }) => options.onProgress(Math.max(offset, firstPage * GiB), source.size),
        }),
      )
    }
    const committed = await repository.commit({
      session,
      attempt: 1,
      results: results.map(({ part, attempt }) => ({ part, attempt })),
      vm: { id: vm, name: vm, platform, scope, tags: [] },
      point: {
        origin: 'manual',
        startedMs: nowMs,
        run: `import/${session}`,
        ...(options.name !== null && { name: options.name }),
      },
      consistency: { level: 'crash', detail: 'imported from a file' },
      hypervisor: { platform, version: 'file', host: hostname() },
      disks: [
        { id: disk, label: disk, bytes: source.size, sectorSize: 512, changeRef: null, mode: 'full', why: 'no-parent' },
      ],
      configs: [],
      retention: { class: 'manual', policy: 'manual' },
      signal,
      onProgress: () => undefined,
    })
    return { ...committed, parts: results }
  }
}

/** What the end of the session adds to the first error is told with it, not instead of it. */
async function endFailed(repository: Repository, session: string, first: unknown): Promise<void> {
  try {
    await repository.endSession(session, 'failed')
  } catch (error) {
    throw new AggregateError([first, error], first instanceof Error ? first.message : 'the import failed', {
      cause: first,
    })
  }
}
