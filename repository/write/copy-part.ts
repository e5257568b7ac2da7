import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { CHUNK_SHIFT, PAGE_BYTES, rootsOfDisk } from '../format/index.ts'
import { ManifestDiskReader } from '../read/disk-reader.ts'
import type { LoadedManifest } from '../read/manifest.ts'
import type { ObjectStore } from '../store/index.ts'
import type { CopyPartOptions, PartPlan, PartResult } from '../types.ts'
import { inAttempt } from './attempt.ts'
import { Homes, Knowledge } from './knowledge.ts'
import { partSizes, PartBuffers } from './part-buffers.ts'
import { PartCopy, type PartCopyParts, type PartOutcome } from './part-copy.ts'
import { nothingResumed, resumePart, type Resumed } from './resume.ts'
import { DEFAULT_LEASE_SEC, SessionLog } from './session-log.ts'
import type { SessionState, Sessions } from './sessions.ts'
import { onSide } from './sides.ts'
import { requireWritable } from './writable.ts'

/** S0–S5 of one part (§7.2), resumed from the journals of its earlier attempts (§7.6). */
export async function copyPart(engine: Engine, sessions: Sessions, options: CopyPartOptions): Promise<PartResult> {
  return await inAttempt(engine, options.signal, (store, controller) => {
    return copy(engine, sessions, options, store, controller)
  })
}

async function copy(
  engine: Engine,
  sessions: Sessions,
  options: CopyPartOptions,
  store: ObjectStore,
  controller: AbortController,
): Promise<PartResult> {
  const { signal } = controller
  const { state, fresh } = await sessions.enter(options.session, store, signal)
  if (fresh) await requireWritable(engine, signal)
  const plan = planOf(state, options)
  // A later attempt reads for itself: its predecessor may have slept since (§16).
  const knowledge =
    options.attempt === 1 ? state.knowledge : await onSide('store-read', () => Knowledge.read(engine, store, signal))
  if (options.attempt === 1) await state.readIndex(store, signal)
  else await onSide('store-read', () => knowledge.readIndex(store, signal))
  const parent = await parentDisk(engine, state, store, options, signal)
  const resumed =
    options.attempt === 1
      ? nothingResumed(plan.firstPage * PAGE_BYTES)
      : await resume(engine, store, options, plan, parent !== undefined, knowledge, signal)
  const log = new SessionLog(engine, store, {
    session: options.session,
    part: options.part,
    attempt: options.attempt,
    leaseSec: state.spec.leaseSec ?? DEFAULT_LEASE_SEC,
    stamp: knowledge.base,
    signal,
  })
  if (resumed.result !== undefined) return await adopt(state, plan, options, log, resumed.result, resumed)
  const buffers = await PartBuffers.acquire(
    engine.budget,
    partSizes(engine.fmt.packTarget, 2 ** CHUNK_SHIFT, engine.pool.size, resumed.pages.bytes),
    signal,
    options.onWaiting && { onWaiting: options.onWaiting },
  )
  const parts: PartCopyParts = {
    engine,
    store,
    knowledge,
    log,
    buffers,
    options,
    series: state.spec.series,
    plan,
    resumed,
    parent,
    controller,
  }
  const part = new PartCopy(parts)
  try {
    const outcome = await part.run()
    state.results.set(options.part, { ...outcome, attempt: options.attempt, plan })
    return { ...summary(plan, options, outcome), ...part.progress.result }
  } finally {
    part.abandon()
    buffers.release()
  }
}

function planOf(state: SessionState, { session, part, diskBytes, source }: CopyPartOptions): PartPlan {
  const plan = state.spec.parts.find((each) => each.part === part)
  const wrong = (why: string) =>
    new HoldfastError('SessionInvalid', `part ${part} of session ${session}: ${why}`, { data: { side: 'logic' } })
  if (plan === undefined) throw wrong('the session has no such part')
  if (!Number.isSafeInteger(diskBytes) || diskBytes <= 0 || diskBytes % 512 !== 0) {
    throw wrong(`${diskBytes} is not the size of a disk`)
  }
  if (source.size !== diskBytes) {
    throw new HoldfastError('SizeMismatch', `the source has ${source.size} bytes instead of ${diskBytes}`, {
      data: { side: 'source' },
    })
  }
  if (plan.nPages < 1 || plan.firstPage + plan.nPages > Math.ceil(diskBytes / PAGE_BYTES)) {
    throw wrong(
      `pages ${plan.firstPage} … ${plan.firstPage + plan.nPages - 1} are not all on a disk of ${diskBytes} bytes`,
    )
  }
  return plan
}

async function parentDisk(
  engine: Engine,
  state: SessionState,
  store: ObjectStore,
  options: CopyPartOptions,
  signal: AbortSignal,
): Promise<PartCopyParts['parent']> {
  if (options.mode === 'full') return undefined
  const plan = planOf(state, options)
  const manifest = await state.parent(store, signal)
  const disk = manifest?.body.json.disks.find(({ id }) => id === plan.disk)
  const needsFull = (why: string) =>
    new HoldfastError('SessionInvalid', `disk ${plan.disk} cannot be copied incrementally: ${why}`, {
      hint: 'Copy this disk in full.',
      data: { side: 'logic', disk: plan.disk },
    })
  if (manifest === undefined) throw needsFull('the session has no parent')
  if (disk === undefined) throw needsFull('the parent does not have it')
  if (disk.bytes !== options.diskBytes) throw needsFull(`it had ${disk.bytes} bytes in the parent`)
  const roots = rootsOfDisk(manifest.body, disk)
  return { roots, reader: new ManifestDiskReader(readContext(engine, manifest), disk, roots) }
}

function readContext(engine: Engine, manifest: LoadedManifest) {
  const { ring, store, blobs, pool, budget } = engine
  return { stem: manifest.stem, ring, store, blobs, pool, budget }
}

async function resume(
  engine: Engine,
  store: ObjectStore,
  options: CopyPartOptions,
  plan: PartPlan,
  inherits: boolean,
  knowledge: Knowledge,
  signal: AbortSignal,
): Promise<Resumed> {
  const start = plan.firstPage * PAGE_BYTES
  return await resumePart(engine, store, {
    session: options.session,
    part: options.part,
    attempt: options.attempt,
    disk: plan.disk,
    start,
    end: Math.min(options.diskBytes, start + plan.nPages * PAGE_BYTES),
    diskBytes: options.diskBytes,
    inherits,
    bad: knowledge.bad,
    signal,
  })
}

/** An earlier attempt had finished and only its answer was lost: its result is this attempt's too. */
async function adopt(
  state: SessionState,
  plan: PartPlan,
  options: CopyPartOptions,
  log: SessionLog,
  result: NonNullable<Resumed['result']>,
  resumed: Resumed,
): Promise<PartResult> {
  await log.fence()
  await log.put(result)
  const homes = new Homes()
  for (const { pack, stamp } of result.homes) homes.add(pack, stamp)
  const { roots, readBytes, newBytes } = result
  const outcome: PartOutcome = { roots, homes, readBytes, newBytes, uploadStamp: resumed.uploadStamp }
  state.results.set(options.part, { ...outcome, attempt: options.attempt, plan })
  const start = plan.firstPage * PAGE_BYTES
  const bytesResumed = Math.min(options.diskBytes, start + plan.nPages * PAGE_BYTES) - start
  const counted = { bytesReadThisAttempt: 0, bytesResumed, chunksNew: 0, chunksReused: 0, chunksZero: 0 }
  return { ...summary(plan, options, outcome), ...counted }
}

function summary(plan: PartPlan, options: CopyPartOptions, outcome: PartOutcome) {
  const { readBytes, newBytes } = outcome
  return { part: plan.part, attempt: options.attempt, disk: plan.disk, readBytes, newBytes }
}
