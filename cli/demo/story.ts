import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError, MiB, formatBytes, formatDuration } from '../../base/index.ts'
import { Oracle, SWITCH_HOOK, labUp, startWorkload, stopWorkload, workloadStatus, type Lab } from '../../lab/index.ts'
import { openRepository } from '../../repository/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { findVm } from '../verbs/common.ts'
import { Installation, type NewRepository } from './installation.ts'
import { waitForCompletion } from './runs.ts'
import {
  findLabVm,
  finishBackup,
  guestChecks,
  sessionObjects,
  startBackup,
  waitForJournals,
  type Backup,
} from './scenes.ts'
import { mostReadAgain, type DemoSummary } from './summary.ts'

export interface Narrator {
  /** A scene begins. */
  scene(title: string): void
  /** What was seen in it. */
  note(text: string): void
}

export interface DemoOptions {
  readonly home: string
  readonly narrator: Narrator
}

export interface DemoStage extends AsyncDisposable {
  readonly at: Installation
  readonly lab: Lab
  readonly url: string
}

const journalSourceBytes = 32 * MiB
const tuning = { moverHeartbeatMs: 12_000, journalSourceBytes }
const dataMiB = { before: 256, between: 320 }

/** Starts everything: embedded Temporal, server, mover, lab. Disposing ends all of it. */
export async function setStage({ home, narrator }: DemoOptions): Promise<DemoStage> {
  // A demo begins from nothing; what an earlier one left is of no use.
  rmSync(home, { recursive: true, force: true })
  narrator.scene('Start Temporal, server, mover, and a hypervisor with one guest')
  const [at, lab] = await Promise.all([
    Installation.start({ home, env: { [SWITCH_HOOK]: join(oracleFolder(home), 'oracle.sock') } }),
    labUp({ home, name: 'demo', vms: 1, progress: (text) => narrator.note(text) }),
  ])
  return {
    at,
    lab,
    url: at.url,
    [Symbol.asyncDispose]: async () => {
      await at.stop()
      await lab[Symbol.asyncDispose]()
    },
  }
}

function oracleFolder(home: string): string {
  return join(home, 'oracle')
}

/** The main job, scene by scene. Throws where something that must work did not; `proven` says whether all claims held. */
export async function tellStory(stage: DemoStage, narrator: Narrator): Promise<DemoSummary> {
  const { at, lab } = stage
  const durations: Record<string, number> = {}
  const scene = async <T>(key: string, title: string, act: () => Promise<T>): Promise<T> => {
    narrator.scene(title)
    const started = Date.now()
    const result = await act()
    durations[key] = Date.now() - started
    return result
  }

  const { vm, repository, hypervisor } = await scene('protect', 'Protect the VM while it writes', () =>
    protect(stage, narrator),
  )
  const guest = await findLabVm(lab, vm.name)

  const full = await scene('full', 'First backup: full', async () => {
    const runId = await startBackup(at, vm.id, { mode: 'auto', tuning, repositoryId: repository.row.id })
    narrator.note(`watch it: ${at.url}/runs/${runId}`)
    return tellBackup(await finishBackup(at, vm.id, runId), narrator)
  })

  await using oracle = await Oracle.start({
    folder: oracleFolder(at.home),
    vms: async () => [guest.dir],
  })
  await scene('write', `The guest writes ${dataMiB.between} MiB more`, () => write(guest, dataMiB.between, 2))
  const { killedPid, second, rows } = await scene(
    'incremental',
    'Second backup: incremental, the mover killed half-way',
    async () => {
      const before = sessionObjects(repository.path)
      const atLeast = (await workloadStatus(guest)).rows
      const runId = await startBackup(at, vm.id, { mode: 'auto', tuning, repositoryId: repository.row.id })
      narrator.note(`watch it: ${at.url}/runs/${runId}`)
      const half = Math.floor((dataMiB.between * MiB) / journalSourceBytes / 2)
      const journals = await waitForJournals(repository.path, before, half)
      const pid = at.kill('worker')
      const atMost = (await workloadStatus(guest)).rows
      narrator.note(`kill -9 ${pid} after ${formatBytes(journals * journalSourceBytes)} were durable`)
      return {
        killedPid: pid,
        second: tellBackup(await finishBackup(at, vm.id, runId), narrator),
        rows: { atLeast, atMost },
      }
    },
  )
  narrator.note(
    `resumed at the journal: ${formatBytes(second.copied.bytesResumed)} of the disks stayed done, ${formatBytes(second.copied.bytesReadAgain)} read again`,
  )
  await stopWorkload(guest)

  const verify = await scene('verify', 'Verify: decrypt, decompress and hash every stored chunk', async () => {
    await using opened = await openRepository({
      location: { kind: 'posix', path: repository.path },
      secret: { kind: 'passphrase', passphrase: repository.passphrase },
      cacheDir: join(at.home, 'cache', 'demo-verify'),
    })
    const report = await opened.verify({
      level: 'full',
      signal: new AbortController().signal,
      onProgress: () => undefined,
    })
    narrator.note(`${report.chunks} chunks in ${report.packs} packs, ${report.damages.length} damaged`)
    return report
  })

  const restore = await scene(
    'restore',
    'Restore to a new VM and compare with QEMU’s own image of the same instant',
    async () => {
      const name = `${vm.name}-restored`
      const started = Date.now()
      const body = {
        pointId: second.point.id,
        target: { kind: 'new', hypervisorId: hypervisor.id, name },
        identity: 'new',
        powerOn: false,
        reason: 'demo',
        tuning,
      } as const
      const { runId } = await ask(at.api.POST('/restores', { body }))
      await waitForCompletion(at.api, runId)
      const durationMs = Date.now() - started
      const copy = await findLabVm(lab, name)
      // A copy that lacks a disk is not identical, whatever the comparison of the others says.
      let identical = copy.description.disks.length === second.point.disks.length
      for (const disk of copy.description.disks) {
        const compared = await oracle.compare(second.point.id, disk.key, {
          file: join(copy.dir, disk.file),
          format: disk.format,
        })
        identical &&= compared.identical
        narrator.note(
          `${disk.key}: ${compared.identical ? 'identical, byte for byte' : `DIFFERENT: ${JSON.stringify(compared)}`}`,
        )
      }
      return { identical, bytes: second.point.logicalBytes, durationMs }
    },
  )

  const drill = await scene('drill', 'Drill: boot it in isolation and look inside', async () => {
    const body = { pointId: second.point.id, checks: guestChecks(rows), bootTimeoutMs: 120_000, reason: 'demo', tuning }
    const { runId } = await ask(at.api.POST('/drills', { body }))
    await waitForCompletion(at.api, runId)
    const { items } = await ask(at.api.GET('/drills', { params: { query: { pointId: second.point.id, limit: 10 } } }))
    const row = items.find((it) => it.run.runId === runId)
    if (!row) throw new HoldfastError('Internal', `the drill of run ${runId} is not in the catalog`)
    const detail = await ask(at.api.GET('/drills/{id}', { params: { path: { id: row.id } } }))
    for (const check of detail.checks) narrator.note(`${check.passed ? '✓' : '✗'} ${check.title}: ${check.detail}`)
    narrator.note(
      `${row.verdict}; recovery time ${row.rtoSeconds?.toFixed(1) ?? '–'} s; screenshot ${row.screenshot ? at.url + row.screenshot : 'none'}`,
    )
    return row
  })

  const usage = await usageOf(at, repository)
  return {
    proven:
      [full, second].every((it) => it.point.validatedMs !== null) &&
      second.point.mode !== 'full' &&
      second.copied.bytesResumed > 0 &&
      second.copied.bytesReadAgain <= mostReadAgain &&
      verify.damages.length === 0 &&
      restore.identical &&
      drill.verdict === 'passed',
    durations,
    points: [full, second].map(({ point }) => ({
      id: point.id,
      mode: point.mode,
      logicalBytes: point.logicalBytes,
      readBytes: point.readBytes,
      newBytes: point.newBytes,
      freezeDurationMs: point.freezeDurationMs,
    })),
    resume: {
      killedPid,
      journalSourceBytes,
      bytesResumed: second.copied.bytesResumed,
      bytesReadAgain: second.copied.bytesReadAgain,
    },
    frozenMs: full.point.freezeDurationMs,
    verify: { level: verify.level, chunks: verify.chunks, damages: verify.damages.length },
    restore,
    drill: { verdict: drill.verdict, rtoSeconds: drill.rtoSeconds, screenshot: drill.screenshot },
    ratios: usage,
    throughput: {
      fullBytesPerSecond: perSecond(full.copied.readBytes, full.copyMs),
      incrementalBytesPerSecond: perSecond(second.copied.readBytes, second.copyMs),
      restoreBytesPerSecond: perSecond(restore.bytes, restore.durationMs),
    },
  }
}

async function protect(
  { at, lab }: DemoStage,
  narrator: Narrator,
): Promise<{ vm: Schemas['VmDetail']; repository: NewRepository; hypervisor: Schemas['Hypervisor'] }> {
  const guest = lab.vms[0]
  if (!guest) throw new HoldfastError('Internal', 'the lab has no VM')
  const { address, options } = lab.endpoint
  const hypervisor = await at.addHypervisor({ name: 'lab', platform: 'qemu', address, options })
  const repository = await at.addRepository('main', join(at.home, 'repository'))
  const vm = await findVm(at.api, guest.name)
  await write(guest, dataMiB.before, 1)
  await startWorkload(guest, { rate: 4096 })
  narrator.note(
    `${vm.name}: ${vm.disks.length} disks, ${formatBytes(vm.sizeBytes)}; its workload writes 4 MiB/s from now on`,
  )
  narrator.note(`repository at ${repository.path}, two key slots, encrypted`)
  return { vm, repository, hypervisor }
}

/** A file on the first disk: three quarters random, one quarter text, so that compression has something to do. */
async function write(
  guest: { shell(script: string, limit?: number): Promise<string> },
  mib: number,
  number: number,
): Promise<void> {
  const random = Math.floor((mib * 3) / 4)
  const script = `dd if=/dev/urandom of=/data/0/demo-${number}.bin bs=1M count=${random} conv=fsync status=none &&
    yes 'order 4711: 3 pieces, paid, shipped' | dd of=/data/0/demo-${number}.txt bs=1M count=${mib - random} iflag=fullblock conv=fsync status=none`
  await guest.shell(script, 300_000)
}

function tellBackup(backup: Backup, narrator: Narrator): Backup {
  const { point, copied, copyMs } = backup
  for (const disk of point.disks) narrator.note(`${disk.disk}: ${disk.mode}${disk.why ? ` (${disk.why})` : ''}`)
  narrator.note(
    `${formatBytes(copied.readBytes)} read in ${formatDuration(copyMs)}, ${formatBytes(point.newBytes)} stored, ${point.consistency}-consistent, frozen for ${point.freezeDurationMs ?? 0} ms`,
  )
  return backup
}

async function usageOf(at: Installation, repository: NewRepository): Promise<DemoSummary['ratios']> {
  const path = { id: repository.row.id }
  await ask(at.api.POST('/repositories/{id}/test', { params: { path } }))
  const { usage } = await ask(at.api.GET('/repositories/{id}', { params: { path } }))
  return { dedup: usage?.dedupRatio ?? null, compression: usage?.compressionRatio ?? null }
}

function perSecond(bytes: number, ms: number): number {
  return ms > 0 ? Math.round((bytes * 1000) / ms) : 0
}
