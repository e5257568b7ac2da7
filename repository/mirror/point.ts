import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { names, PAGE_BYTES, parseName, parseStem, type ManifestDisk } from '../format/index.ts'
import { listStem, type LoadedManifest } from '../read/manifest.ts'
import { LoadedPoint } from '../read/open-point.ts'
import { listAll } from '../store/index.ts'
import type {
  CommitOptions,
  ConfigPart,
  CopyProgress,
  Pace,
  PartPlan,
  PointEntry,
  SessionSpec,
  Stem,
} from '../types.ts'
import type { Writer } from './mirror.ts'
import { MirroredDisk, shareIdentity, storedDisk } from './disk.ts'
import { sessionOf } from './targets.ts'
import { readObject } from '../write/session-log.ts'

/** §7.1: a part is 256 GiB at most. */
const PART_PAGES = 256
const DAY = 86_400_000
/** Sessions of one point that may have ended without success. */
const MAX_ROUNDS = 1_000

/** A point of one repository on its way into another one. */
export interface MirrorJob {
  readonly from: Engine
  readonly to: Engine
  readonly writer: Writer
  readonly entry: PointEntry
  readonly manifest: LoadedManifest
  readonly target: Stem
  /** The parent there, and the point here that it was mirrored from. */
  readonly parent: { readonly stem: Stem; readonly manifest: LoadedManifest; readonly here: LoadedManifest } | undefined
  readonly retention: { readonly class: string; readonly policy: string } | undefined
  readonly pace?: Pace | undefined
  readonly signal: AbortSignal
  readonly onProgress: (disk: ManifestDisk, progress: CopyProgress) => void
}

export interface MirroredDisks {
  readonly disk: ManifestDisk
  readonly source: MirroredDisk
}

/** Disks of a point as the other repository reads them. */
export function mirroredDisks(job: Pick<MirrorJob, 'from' | 'to' | 'manifest' | 'parent'>): MirroredDisks[] {
  const { from, to, manifest, parent } = job
  return manifest.body.json.disks.map((disk) => {
    const here = storedDisk(from, manifest, disk.id)
    if (here === undefined) throw new TypeError(`no disk ${disk.id}`)
    return { disk, source: new MirroredDisk(from, to, here, before(job, disk, parent?.here)) }
  })
}

/** The disk that the parent there inherits from: only if the parent has that very image. */
function before(job: Pick<MirrorJob, 'from' | 'to' | 'parent'>, disk: ManifestDisk, here: LoadedManifest | undefined) {
  const there = job.parent?.manifest.body.json.disks.find(({ id }) => id === disk.id)
  const old = here && storedDisk(job.from, here, disk.id)
  if (there === undefined || old === undefined || there.bytes !== disk.bytes || old.disk.bytes !== disk.bytes)
    return undefined
  const sameImage = !shareIdentity(job.from, job.to) || there.imageRoot === old.disk.imageRoot
  return sameImage ? old : undefined
}

/**
 * §13: publishes a point in another repository by the full write protocol. Again: goes on where an earlier attempt stopped,
 * by the journals of the session that its name and parent determine.
 */
export async function mirrorPoint(
  job: MirrorJob,
): Promise<{ readonly bytesStored: number; readonly bytesRead: number; readonly lockUntilSec: number }> {
  const { writer, signal } = job
  const disks = mirroredDisks(job)
  const { session, attempt } = await sessionFor(job)
  const parts = partsOf(disks.map(({ disk }) => disk))
  await writer.openSession(specOf(job, session, parts), signal)
  let bytesStored = 0
  let bytesRead = 0
  for (const plan of parts) {
    const of = disks.find(({ disk }) => disk.id === plan.disk)
    if (of === undefined) throw new TypeError(`no disk ${plan.disk}`)
    const inherits = before(job, of.disk, job.parent?.here) !== undefined
    let stored = 0
    const result = await writer.copyPart({
      session,
      part: plan.part,
      attempt,
      diskBytes: of.disk.bytes,
      source: of.source,
      mode: inherits ? 'incremental' : 'full',
      ...(job.pace && { pace: job.pace }),
      signal,
      onProgress: (progress) => {
        stored = progress.bytesStored
        job.onProgress(of.disk, progress)
      },
    })
    bytesStored += stored
    bytesRead += result.bytesReadThisAttempt
  }
  let lockUntilSec = 0
  try {
    const committed = await writer.commit(await commitOptions(job, session, attempt, parts))
    lockUntilSec = committed.lockUntilSec
  } catch (error) {
    // It was removed there meanwhile: the session cannot succeed any more, a later one may.
    if (isHoldfastError(error) && error.code === 'CommitRefused') await writer.endSession(session, 'failed')
    throw error
  }
  await writer.endSession(session, 'committed')
  return { bytesStored, bytesRead, lockUntilSec }
}

/** The session to go on with, and the attempt that follows what is there. */
async function sessionFor({
  from,
  to,
  target,
  parent,
  signal,
}: MirrorJob): Promise<{ session: string; attempt: number }> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const session = sessionOf([from.ring.repo, to.ring.repo, target, parent?.stem ?? '', String(round)])
    const listed = (await listAll(to.store, `sess/${session}-`)).flatMap(({ name }) => {
      const parsed = parseName(name)
      return parsed?.kind === 'session' ? [{ name, part: parsed.part, attempt: parsed.attempt }] : []
    })
    const last = listed.filter(({ part }) => part === 0).at(-1)
    const read = last && (await readObject(to, to.store, last.name, signal))
    if (read?.content.type === 'end') continue
    // The `open` object counts as attempt 1 of part 0, and nobody has copied yet.
    const copied = listed.filter(({ part, name }) => part > 0 || name !== names.session(session, 0, 1, 0))
    return { session, attempt: Math.max(0, ...copied.map(({ attempt }) => attempt)) + 1 }
  }
  throw new HoldfastError('CommitRefused', `no attempt to mirror ${target} has succeeded`)
}

function partsOf(disks: readonly ManifestDisk[]): PartPlan[] {
  const parts: PartPlan[] = []
  for (const { id, bytes } of disks) {
    const pages = Math.ceil(bytes / PAGE_BYTES)
    for (let firstPage = 0; firstPage < pages; firstPage += PART_PAGES) {
      parts.push({ part: parts.length + 1, disk: id, firstPage, nPages: Math.min(PART_PAGES, pages - firstPage) })
    }
  }
  return parts
}

function specOf({ from, entry, target, parent }: MirrorJob, session: string, parts: readonly PartPlan[]): SessionSpec {
  const { series, createdMs } = entry
  const { snap } = parseStem(target)
  // Whoever copies a point stands for the repository that it comes from.
  const owner = from.ring.repo
  return { session, snap, series, createdMs, parentStem: parent?.stem ?? null, owner, parts, point: null }
}

async function commitOptions(
  job: MirrorJob,
  session: string,
  attempt: number,
  parts: readonly PartPlan[],
): Promise<CommitOptions> {
  const { from, entry, manifest, retention, signal } = job
  const { json } = manifest.body
  const { frozenMs: _, finishedMs, ...point } = json.point
  const open = new LoadedPoint(from, manifest, entry)
  return {
    session,
    attempt,
    results: parts.map(({ part }) => ({ part, attempt })),
    vm: json.vm,
    point,
    consistency: json.consistency,
    hypervisor: json.hypervisor,
    disks: json.disks.map(({ id, label, bytes, sectorSize, changeRef, mode, why }) => {
      return { id, label, bytes, sectorSize, changeRef, mode, why }
    }),
    configs: json.configs.map(({ name, type }) => {
      return { name, type: type as ConfigPart['type'], content: open.config(name) }
    }),
    retention: retention ?? { class: json.retention.class, policy: json.retention.policy },
    mirrored: {
      repo: from.ring.repo,
      snap: entry.snap,
      createdMs: entry.createdMs,
      retentionMs: await retentionMs(job),
      finishedMs,
    },
    reread: async (disk, at, into) => {
      await open.reader(disk).read(at, into, signal)
    },
    signal,
    onProgress: () => undefined,
  }
}

/** §11.1: the time of a point is that of its name as far as the store's time of its manifest bears it out. */
async function retentionMs({ from, entry, manifest }: MirrorJob): Promise<number> {
  const known = manifest.body.json.source?.retentionMs
  if (known !== undefined) return known
  const listing = await listStem(from.store, entry.stem)
  const stored = listing.manifest?.modified
  if (stored === undefined) return entry.createdMs
  return Math.round(Math.min(stored + DAY / 144, Math.max(stored - 7 * DAY, entry.createdMs)))
}
