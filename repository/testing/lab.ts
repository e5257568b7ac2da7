import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GiB, MiB } from '../../base/index.ts'
import { createRepositoryWith } from '../create.ts'
import type { KeyEntry } from '../format/index.ts'
import { openRepositoryWith, type OpenedRepository, type OpenInternals } from '../repository.ts'
import { SMALL_PROBE } from '../store/index.ts'
import type { CommitOptions, CommitResult, ConfigPart, CreateOptions, PartResult, SessionSpec } from '../types.ts'
import { BufferBudget, WorkerPool } from '../workers/index.ts'
import { cheapArgon2, deriveOnce } from './derive.ts'
import { MemoryBucket } from './memory-store.ts'
import { ModelSource, type ModelDisk, type SourceOptions } from './model-disk.ts'

export const passphrase = 'correct horse'
/** One for all labs of a process: starting threads costs more than what most tests ask of them. */
const pool = new WorkerPool(2)
export const uuid = (): string => randomBytes(16).toString('hex')
export const noSignal: AbortSignal = new AbortController().signal

/** A repository in memory, and processes that open it: what the engine's tests need. */
export class RepositoryLab implements AsyncDisposable {
  readonly bucket: MemoryBucket
  readonly recoveryKey: string
  readonly #folder: string
  readonly #budget: BufferBudget
  readonly warnings: string[] = []
  #caches = 0

  private constructor(bucket: MemoryBucket, recoveryKey: string, folder: string, budget: BufferBudget) {
    this.bucket = bucket
    this.recoveryKey = recoveryKey
    this.#folder = folder
    this.#budget = budget
  }

  /** `identity`: the IDK that it shares with another repository. `lock`: points are locked (§11.5). */
  static async create(identity?: KeyEntry, lock?: CreateOptions['lock']): Promise<RepositoryLab> {
    const bucket = new MemoryBucket(new Map(), lock !== undefined)
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-repository-'))
    await mkdir(place(folder).path)
    const internals = {
      connect: () => bucket.connect(),
      // In memory nothing is slow: the lock of the probe need not last.
      probeSize: { ...SMALL_PROBE, lock: { locked: 200, extended: 250, rounding: 20 } },
      derive: deriveOnce,
      ...(identity && { identity }),
    }
    const wish = { location: place(folder), passphrase, argon2: cheapArgon2, ...(lock && { lock }) }
    const { recoveryKey } = await createRepositoryWith(wish, internals)
    return new RepositoryLab(bucket, recoveryKey, folder, new BufferBudget(192 * MiB))
  }

  /** The same folder and threads over another bucket: a copy of this one, as it was at some moment. */
  over(bucket: MemoryBucket): RepositoryLab {
    return new RepositoryLab(bucket, this.recoveryKey, this.#folder, this.#budget)
  }

  /** Opens the repository as a process of its own would: nothing is known but what the store says. */
  async open(
    internals: OpenInternals & { readonly cache?: string; readonly purpose?: 'collect' } = {},
  ): Promise<OpenedRepository> {
    const cacheDir = join(this.#folder, internals.cache ?? `cache-${this.#caches++}`)
    const secret = { kind: 'passphrase', passphrase } as const
    return await openRepositoryWith(
      { location: place(this.#folder), secret, cacheDir, ...(internals.purpose && { purpose: internals.purpose }) },
      {
        connect: () => this.bucket.connect(),
        pool,
        derive: deriveOnce,
        budget: this.#budget,
        recheck: null,
        warn: (message) => this.warnings.push(message),
        ...internals,
      },
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function place(folder: string) {
  return { kind: 'posix', path: join(folder, 'repository') } as const
}

export interface BackupOptions {
  readonly session?: string
  readonly snap?: string
  readonly createdMs?: number
  readonly parent?: string | null
  readonly mode?: 'full' | 'incremental'
  readonly source?: SourceOptions
  readonly attempt?: number
  readonly commitAttempt?: number
  readonly configs?: readonly ConfigPart[]
  readonly journalSourceBytes?: number
  /** Pages of each part; default: the whole disk in one. */
  readonly pagesPerPart?: number
  readonly reread?: CommitOptions['reread']
  readonly signal?: AbortSignal
  readonly vm?: string
  readonly retentionClass?: string
  readonly origin?: CommitOptions['point']['origin']
  readonly leaseSec?: number
}

/** One backup of one model disk, step by step as a workflow would do it; every step can be repeated. */
export class ModelBackup {
  readonly spec: SessionSpec
  readonly disk: ModelDisk
  readonly options: BackupOptions
  readonly source: ModelSource

  constructor(repository: OpenedRepository, disk: ModelDisk, options: BackupOptions = {}) {
    const pages = Math.ceil(disk.size / GiB)
    const perPart = options.pagesPerPart ?? pages
    const parts = Array.from({ length: Math.ceil(pages / perPart) }, (_, index) => ({
      part: index + 1,
      disk: 'disk',
      firstPage: index * perPart,
      nPages: Math.min(perPart, pages - index * perPart),
    }))
    this.disk = disk
    this.options = options
    this.source = new ModelSource(disk, options.source)
    this.spec = {
      session: options.session ?? uuid(),
      snap: options.snap ?? uuid(),
      series: repository.series({ platform: 'image', scope: 'lab', vm: options.vm ?? 'vm' }),
      createdMs: options.createdMs ?? nextMs(),
      parentStem: options.parent ?? null,
      owner: 'aa'.repeat(16),
      parts,
      point: null,
      ...(options.leaseSec !== undefined && { leaseSec: options.leaseSec }),
    }
  }

  get mode(): 'full' | 'incremental' {
    return this.options.mode ?? (this.spec.parentStem === null ? 'full' : 'incremental')
  }

  async open(repository: OpenedRepository): Promise<void> {
    await repository.openSession(this.spec, this.options.signal ?? noSignal)
  }

  async copy(repository: OpenedRepository, attempt = this.options.attempt ?? 1): Promise<PartResult[]> {
    const results: PartResult[] = []
    for (const { part } of this.spec.parts) results.push(await this.copyPart(repository, part, attempt))
    return results
  }

  async copyPart(repository: OpenedRepository, part: number, attempt: number): Promise<PartResult> {
    const { journalSourceBytes, signal = noSignal } = this.options
    return await repository.copyPart({
      session: this.spec.session,
      part,
      attempt,
      diskBytes: this.disk.size,
      source: this.source,
      mode: this.mode,
      ...(journalSourceBytes !== undefined && { journalSourceBytes }),
      signal,
      onProgress: () => undefined,
    })
  }

  async commit(
    repository: OpenedRepository,
    attempt = 1,
    copyAttempt = this.options.attempt ?? 1,
  ): Promise<CommitResult> {
    const { configs = [], reread, signal = noSignal } = this.options
    return await repository.commit({
      session: this.spec.session,
      attempt,
      results: this.spec.parts.map(({ part }) => ({ part, attempt: copyAttempt })),
      vm: { id: 'vm', name: 'vm', platform: 'image', scope: 'lab', tags: [] },
      point: { origin: this.options.origin ?? 'manual', startedMs: this.spec.createdMs, run: 'test' },
      consistency: { level: 'crash', detail: '' },
      hypervisor: { platform: 'image', version: '1', host: 'lab' },
      disks: [
        {
          id: 'disk',
          label: '',
          bytes: this.disk.size,
          sectorSize: 512,
          changeRef: null,
          mode: this.mode,
          why: this.mode === 'full' ? 'no-parent' : '',
        },
      ],
      configs,
      retention: { class: this.options.retentionClass ?? '', policy: '' },
      ...(reread !== undefined && { reread }),
      signal,
      onProgress: () => undefined,
    })
  }

  /** All steps in one process. */
  async run(repository: OpenedRepository): Promise<CommitResult> {
    await this.open(repository)
    await this.copy(repository)
    const result = await this.commit(repository, this.options.commitAttempt)
    await repository.endSession(this.spec.session, 'committed')
    return result
  }
}

/** Backs up a model disk in one go. */
export async function backUp(
  repository: OpenedRepository,
  disk: ModelDisk,
  options: BackupOptions = {},
): Promise<CommitResult> {
  return await new ModelBackup(repository, disk, options).run(repository)
}

/** Compares a disk of a point with its model: what `stream` yields, and that everything it leaves out is zero. */
export async function expectIdentical(
  repository: OpenedRepository,
  stem: string,
  disk: ModelDisk,
  options: { readonly explicit?: boolean } = {},
): Promise<void> {
  await using point = await repository.openPoint(stem, options)
  const reader = point.disk('disk')
  let at = 0
  const expectZero = (to: number) => {
    for (const offset of disk.written()) {
      const from = Math.max(at, offset)
      const end = Math.min(to, offset + MiB)
      if (from < end && disk.bytes(from, end - from).some((byte) => byte !== 0)) {
        throw new Error(`bytes ${from} … ${end} of ${stem} restore as a hole and are not zero`)
      }
    }
  }
  for await (const { offset, data } of reader.stream(0, disk.size, noSignal)) {
    if (offset < at) throw new Error(`the stream of ${stem} goes back from ${at} to ${offset}`)
    expectZero(offset)
    if (Buffer.compare(data, disk.bytes(offset, data.length)) !== 0) {
      throw new Error(`bytes ${offset} … ${offset + data.length} of ${stem} restore differently`)
    }
    at = offset + data.length
  }
  expectZero(disk.size)
}

let lastMs = 1_700_000_000_000
function nextMs(): number {
  return (lastMs += 1000)
}
