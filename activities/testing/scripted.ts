import { Context } from '@temporalio/activity'

import { bytes } from '../../base/index.ts'
import type { StandbyView } from '../../drivers/facets.ts'
import type { DiskKey, DiskPoint, Instant, OpKey, PointId, TrackerId, VmRef } from '../../drivers/values.ts'
import type { CopyDiskInput, CopyDiskResult, PointChange } from '../backup/types.ts'
import type { CollectionSummary, SweepBatchPoint } from '../retention/types.ts'
import type { CopyOutcome, WantedCopy } from '../mirror/types.ts'
import type { ReplicatedState } from '../replication/types.ts'
import type { CheckSummary } from '../verify/types.ts'
import type { ControlActivities, SiteActivities } from '../index.ts'
import { atBoundary } from '../shared/failures.ts'
import { recoveryAnswers } from './recovery.ts'
import { sampleDisks, samplePoint, sampleVm } from './samples.ts'

/** A quiet night. */
const sampleChange: PointChange = {
  beforeSnap: '0'.repeat(32),
  beforeMs: Date.UTC(2026, 10, 20, 2, 0, 4),
  comparedBytes: 3 * 2 ** 30,
  heldBytes: 2 ** 30,
  softBytes: 700 * 2 ** 20,
  rewrittenBytes: 40 * 2 ** 20,
  rewrittenStoredBefore: 12 * 2 ** 20,
  rewrittenStored: 13 * 2 ** 20,
  rewrittenHardBytes: 2 ** 20,
  turnedBytes: 2 ** 20,
  addedBytes: 8 * 2 ** 20,
  addedStored: 2 ** 20,
  addedHardBytes: 0,
  removedBytes: 0,
  removedSoftBytes: 0,
}

type Every = SiteActivities & ControlActivities
type Step = { [name in keyof Every]: (input: Parameters<Every[name]>[0], call: number) => ReturnType<Every[name]> }
export interface Call {
  readonly name: keyof Every
  readonly input: unknown
}

/**
 * Steps that answer from a script, for tests of workflows: each has a plain good answer, a test replaces those it is
 * about. `calls` is what was really asked, in order; `call` counts the calls of one step from 1.
 */
export class Scripted {
  readonly calls: Call[] = []
  readonly #script: Step
  readonly #counts = new Map<string, number>()

  constructor(script: Partial<Step> = {}) {
    this.#script = { ...goodAnswers(), ...script }
  }

  get activities(): Every {
    const all: Record<string, unknown> = {}
    for (const name of Object.keys(this.#script) as (keyof Every)[]) {
      all[name] = async (input: never) => {
        this.calls.push({ name, input })
        const count = (this.#counts.get(name) ?? 0) + 1
        this.#counts.set(name, count)
        return this.#script[name](input, count)
      }
    }
    return atBoundary(all as unknown as Every)
  }

  names(...without: (keyof Every)[]): string[] {
    return this.calls.map(({ name }) => name).filter((name) => !without.includes(name))
  }

  inputs<N extends keyof Every>(name: N): Parameters<Every[N]>[0][] {
    return this.calls.filter((call) => call.name === name).map(({ input }) => input as Parameters<Every[N]>[0])
  }
}

/** Works until it is told to stop: beats like a mover, ends by the cancellation alone. */
export async function untilCancelled(onStart?: () => void): Promise<never> {
  const context = Context.current()
  onStart?.()
  const beat = setInterval(() => context.heartbeat({ beat: Date.now() }), 200)
  try {
    return await context.cancelled
  } finally {
    clearInterval(beat)
  }
}

/** Runs that are inside of a step at the same time, by what really runs there: at most, and now. */
export class AtWork {
  readonly #steps = new Map<string, number>()
  most = 0

  get now(): number {
    return this.#steps.size
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    const run = Context.current().info.workflowExecution?.workflowId ?? ''
    this.#steps.set(run, (this.#steps.get(run) ?? 0) + 1)
    this.most = Math.max(this.most, this.now)
    try {
      return await work()
    } finally {
      const left = (this.#steps.get(run) ?? 1) - 1
      if (left > 0) this.#steps.set(run, left)
      else this.#steps.delete(run)
    }
  }
}

export function copied(input: CopyDiskInput, over: Partial<CopyDiskResult> = {}): CopyDiskResult {
  return {
    part: input.range.part,
    attempt: input.attemptBase + Context.current().info.attempt,
    disk: input.range.disk,
    readBytes: 1024,
    newBytes: 512,
    bytesResumed: 0,
    bytesReadAgain: 0,
    chunksNew: 1,
    chunksReused: 0,
    chunksZero: 0,
    ...over,
  }
}

export const parentId = 'f'.repeat(32) as PointId
export const tracker = 'a'.repeat(32) as TrackerId

function diskPoints(full: ReadonlySet<DiskKey>): DiskPoint[] {
  return sampleDisks.map((disk) => ({
    disk,
    mode: full.has(disk.key) ? 'full' : 'incremental',
    why: full.has(disk.key) ? 'asked-by-operator' : null,
    since: null,
    next: null,
    readable: 'all',
    reader: 'nbd',
    locator: {},
  }))
}

const stemOf = (pointId: string): string => `snap/${'1'.repeat(32)}/0000000000000000-${pointId}`

export const sweepBatch: readonly SweepBatchPoint[] = ['a', 'b', 'c'].map((digit) => ({
  stem: stemOf(digit.repeat(32)),
  policy: 'category standard',
}))

const some = { packs: 2, bytes: 2 * 2 ** 20 }
const none = { packs: 0, bytes: 0 }
export const collected: CollectionSummary = {
  outcome: 'collected',
  roots: 6,
  listed: { packs: 12, bytes: 12 * 2 ** 20 },
  live: { packs: 10, bytes: 10 * 2 ** 20 },
  condemned: some,
  reprieved: none,
  deleted: some,
  copied: none,
  waiting: none,
  young: none,
  unknown: none,
  notes: [],
  durationMs: 1200,
}

export const checkedSummary: CheckSummary = {
  blobs: ['d'.repeat(64)],
  points: 9,
  packs: 12,
  packsResumed: 0,
  chunks: 400,
  bytes: 12 * 2 ** 20,
  damages: 0,
  unreadable: 0,
  quarantined: 0,
  notes: [],
  notesLeft: 0,
}

export const wantedCopies: readonly WantedCopy[] = ['a', 'b', 'c'].map((digit, n) => ({
  pointId: digit.repeat(32),
  stem: stemOf(digit.repeat(32)),
  vmName: 'erp-db-01',
  createdMs: Date.UTC(2026, 10, 18 + n, 2, 0, 4),
  logicalBytes: 3 * 2 ** 30,
  byHand: false,
}))

export function mirroredCopy({ pointId, stem }: WantedCopy, over: Partial<CopyOutcome> = {}): CopyOutcome {
  const bytes = { storedBytes: 4 * 2 ** 20, verifiedBytes: 5 * 2 ** 20 }
  return { pointId, stem, outcome: 'mirrored', ...bytes, lockUntilMs: 0, problem: null, ...over }
}

const sampleStandby: VmRef = { ...sampleVm, scope: 'paris', id: 'standby', name: 'erp-db-01-standby' }

/** Of a standby that can be started. */
export const standbyView: StandbyView = {
  ...{ vm: sampleStandby, power: 'stopped', role: 'follows', isTouched: false },
  head: {
    state: parentId,
    at: new Date(Date.UTC(2026, 10, 21, 2, 0, 4)).toISOString() as Instant,
    disks: [],
    links: 2,
  },
  storedBytes: bytes(3 * 2 ** 30),
}
function replicated(pointId: string): ReplicatedState {
  const atMs = Date.UTC(2026, 10, 21, 2, 5, 4)
  return { pointId, atMs, links: 2, storedBytes: 3 * 2 ** 30, standby: sampleStandby }
}

function goodAnswers(): Step {
  const sizes = { virtio0: 2 * 2 ** 30, virtio1: 2 ** 30 }
  return {
    preflight: async () => ({
      series: '1'.repeat(32),
      tracker,
      ordinal: 1,
      parent: { stem: stemOf(parentId), pointId: parentId, createdMs: Date.UTC(2026, 10, 20, 2, 0, 4) },
      disks: sampleDisks.map((disk) => ({
        disk,
        since: {
          kind: 'qemu-bitmap',
          point: parentId,
          tracker,
          token: 't',
          epoch: 'e',
          volume: disk.volume,
          size: disk.size,
        },
        full: null,
        mode: 'incremental',
        why: null,
      })),
      skipped: [],
      warnings: [],
      tags: [],
      hypervisor: { platform: 'qemu', version: '10.0', host: 'lab' },
    }),
    shutDown: async () => ({ after: 'stopped' }),
    startAgain: async () => ({ before: 'stopped', after: 'running' }),
    openPoint: async ({ request }) => {
      const full = new Set(request.disks.filter((disk) => disk.since === null).map(({ disk }) => disk))
      return samplePoint(request.pointId, diskPoints(full))
    },
    openSession: async () => undefined,
    auditTracker: async () => ({ checkedChunks: 128, mismatched: [] }),
    copyDisk: async (input) => copied(input),
    checkPoint: async () => undefined,
    commitBackup: async ({ pointId }) => ({
      stem: stemOf(pointId),
      validatedMs: 2,
      createdMs: 1,
      rescued: 0,
      manifestBytes: 4096,
    }),
    findCommitted: async () => null,
    releasePoint: async () => ({ refs: [], residue: [] }),
    endSession: async () => undefined,
    spotCheck: async ({ chunks }) => ({ chunks, bytes: chunks * 2 ** 20 }),
    comparePoint: async () => sampleChange,
    recordChange: async () => ({ isSuspicious: false, score: 4 }),
    ensureRunning: async () => ({ wasFrozen: false, wasPaused: false }),
    abortPoint: async () => ({ residue: [] }),
    planRestore: async () => ({
      vmName: sampleVm.name,
      platform: 'qemu',
      createdMs: Date.UTC(2026, 10, 20, 2, 0, 4),
      pointId: parentId,
      firmware: 'direct-kernel',
      warnings: [],
      disks: sampleDisks.map(({ key, label, size }) => ({ key, label, size })),
    }),
    createTarget: async () => ({
      vm: { ...sampleVm, name: 'copy', id: 'copy' },
      opKey: samplePoint(parentId, []).opKey,
      disks: sampleDisks,
      replaced: null,
    }),
    restoreDisk: async ({ disk }) => ({
      disk,
      size: sizes[disk as keyof typeof sizes],
      writtenBytes: 1024,
      bytesResumed: 0,
    }),
    finalizeTarget: async ({ target }) => target.vm,
    handOverTarget: async () => undefined,
    readPower: async () => ({ state: 'running' }),
    powerVm: async ({ want }) => ({
      before: want === 'running' ? 'stopped' : 'running',
      after: want === 'running' ? 'running' : 'stopped',
    }),
    revertTarget: async () => undefined,
    destroyTarget: async () => ({ residue: [] }),
    bootIsolated: async () => ({ address: null }),
    waitForGuest: async () => ({ state: 'up', waitedMs: 10 }),
    runGuestCheck: async ({ check }) => ({
      title: check.title,
      passed: true,
      exit: 0,
      out: '',
      err: '',
      count: null,
      detail: 'exit 0',
    }),
    takeScreenshot: async () => ({ sha256: 'e'.repeat(64), bytes: 1 }),
    serveDisks: async () => ({
      socket: '/srv/served/1.sock',
      disks: sampleDisks.map(({ key, size }) => ({ key, size })),
    }),
    bootInstant: async () => ({
      vm: { ...sampleVm, name: 'copy', id: 'copy' },
      opKey: samplePoint(parentId, []).opKey,
      disks: sampleDisks,
      replaced: null,
    }),
    readsOfBoot: async () => ({
      bytes: 3 * 2 ** 20,
      disks: [
        {
          key: 'virtio0',
          runs: [
            [0, 2],
            [700, 1],
          ],
        },
      ],
    }),
    attendInstant: () => untilCancelled(),
    migrateInstant: async ({ target }) => target.vm,
    endServing: async () => undefined,
    prepareFiles: async () => undefined,
    openFiles: () => untilCancelled(),
    closeFiles: async () => undefined,
    planFilesRestore: async ({ paths }) => ({
      targets: paths.map((path) => `${path}.restored`),
      staged: paths.map((_, n) => `/.holdfast-${n}`),
    }),
    restoreFilesToGuest: async ({ plan }) => ({
      ...{ made: plan.targets, files: 1, folders: 0, links: 0, bytes: 5, verified: 1, skipped: [], skippedCount: 0 },
    }),
    dropStagedFiles: async () => undefined,
    recordInstant: async () => undefined,
    recordInstantState: async () => undefined,
    listImages: async () => [],
    describeImages: async () => undefined,
    probeEndpoint: async () => ({
      version: '10.0',
      identity: 'lab',
      evidence: 'verified',
      capabilities: {},
      findings: [],
    }),
    discoverVms: async () => ({ vms: [], next: null }),
    reachAll: async () => ({ v: 1, worker: 'mover-1', checks: [], error: null }),
    inspectRepository: async () => ({ v: 1, repositoryUuid: 'r', probe: null, usage: null, error: null }),
    inspectRestore: async () => ({ v: 1, findings: [], passed: [], logicalBytes: 0, dataBytes: null, error: null }),
    copyCatalog: async () => ({ createdMs: 1, coveredSeq: 1, schema: 1, bytes: 4096, sha256: 'c'.repeat(64) }),
    dropCatalogCopy: async () => undefined,
    storeCatalog: async ({ snap }) => ({ stem: stemOf(snap), versions: 1 }),
    measureUsage: async () => ({
      ...{ points: 1, series: 1, packs: 1, storedBytes: 1, uniqueBytes: 1, logicalBytes: 1 },
      ...{ capacityBytes: null, freeBytes: null },
    }),
    recordUsage: async () => undefined,
    recordUsageFailure: async () => undefined,
    sweepCatalog: async () => ({ versions: 1, removed: 0 }),
    recordOwnBackup: async () => undefined,
    recordOwnBackupFailure: async () => undefined,
    openPlanRun: async () => ({ vms: 0, concurrency: 1, window: null }),
    heedWindow: async () => null,
    nextPlanVm: async () => ({ next: null, againMs: null }),
    closePlanRun: async () => ({ counts: { completed: 0, failed: 0, cancelled: 0, skipped: 0 }, troubles: [] }),
    claimSlots: async () => ({ granted: true, waitsFor: [] }),
    surveyRetention: async () => ({ blobs: ['b'.repeat(64)], points: 9, series: 2, held: 1, atMs: 1 }),
    planSweep: async () => ({
      digest: 'd1',
      points: 9,
      series: 2,
      going: 3,
      asking: 0,
      orphans: 0,
      worst: null,
    }),
    judgePoint: async () => undefined,
    confirmSweep: async () => ({ going: 3, spared: 0 }),
    recordSweepState: async () => undefined,
    nextSweepBatch: async (_input, call) => ({ points: call === 1 ? sweepBatch : [], spared: 0 }),
    tombstonePoints: async () => ({ refused: [] }),
    tidyRepository: async () => ({ abandoned: 0, removed: 3, forgotten: 0 }),
    prepareCollection: async () => ({ why: '3 points were removed since the last one', known: null }),
    collectGarbage: async () => collected,
    recordCollection: async () => undefined,
    holdPoint: async ({ stem }) => ({ hold: `hold/${stem.slice(-32)}-0000000000000001` }),
    releaseHolds: async () => undefined,
    holdPoints: async ({ stems }) => ({
      held: stems.map((stem) => ({ stem, hold: `hold/${stem.slice(-32)}-0000000000000002` })),
      refused: [],
    }),
    releaseHoldsBy: async () => ({ released: ['hold/0000000000000002'] }),
    recordHolds: async () => undefined,
    removePoint: async () => undefined,
    recordHold: async () => undefined,
    recordRelease: async () => undefined,
    recordRemoval: async () => undefined,
    beginVerify: async () => ({ atMs: Date.UTC(2026, 10, 21, 2, 0, 4), points: 9 }),
    checkRepository: async () => checkedSummary,
    recordVerifyStarted: async () => undefined,
    recordFindings: async () => ({ damagedPoints: 0, unreadablePoints: 0, mendedPoints: 0 }),
    recordVerifyEnd: async () => undefined,
    mirrorPoint: async ({ copy }) => mirroredCopy(copy),
    nextCopies: async (_input, call) => ({ copies: call === 1 ? wantedCopies : [] }),
    releaseCopies: async () => undefined,
    inspectStandby: async () => standbyView,
    openSource: async ({ pointId, full }) =>
      samplePoint(pointId, diskPoints(full ? new Set(sampleDisks.map(({ key }) => key)) : new Set())),
    beginState: async ({ sink }) =>
      sink.kind === 'standby'
        ? sink
        : {
            ...sink,
            target: sink.target ?? {
              vm: sampleVm,
              opKey: 'hf-aaaaaa-bbbbbbbbbbbbb' as OpKey,
              disks: sampleDisks,
              replaced: sampleVm,
            },
          },
    replicateDisk: async ({ disk }) => ({ disk, writtenBytes: 4 * 2 ** 20, bytesResumed: 0 }),
    publishState: async ({ point }) => replicated(point.id),
    takeOver: async () => sampleStandby,
    withdrawTakeover: async () => undefined,
    adoptStandby: async ({ state, atMs }) => ({ ...replicated(state), atMs }),
    releaseStandby: async () => undefined,
    removeStandby: async () => ({ residue: [] }),
    testStandby: async () => ({ answered: true, bootMs: 4_000 }),
    endStandbyTest: async () => ({ residue: [] }),
    fenceSource: async () => ({ before: 'running', after: 'stopped' }),
    beginReplication: async ({ act }) => ({
      state: act === 'failover' ? 'failing-over' : act === 'failback' ? 'failing-back' : 'following',
      was: act === 'failback' ? 'failed-over' : 'following',
      headMs: Date.UTC(2026, 10, 21, 2, 0, 4),
      standby: sampleStandby,
    }),
    recordState: async () => undefined,
    endReplication: async () => undefined,
    recordStandbyTest: async () => undefined,
    forgetReplication: async () => undefined,
    ...recoveryAnswers(),
    recordRunStarted: async () => undefined,
    recordPoint: async () => undefined,
    recordDamage: async () => undefined,
    knownDamage: async () => ({ points: [] }),
    recordProof: async () => undefined,
    recordRunFinished: async () => undefined,
    recordProbe: async () => undefined,
    recordDiscovered: async ({ vms }) => ({ added: vms.length, changed: 0 }),
    closeListing: async () => ({ gone: 0 }),
    recordRepositoryTest: async () => undefined,
    recordSiteTest: async () => undefined,
  }
}
