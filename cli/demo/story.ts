import { join } from 'node:path'
import { HoldfastError, MiB, formatBytes, formatDuration } from '../../base/index.ts'
import { Oracle, findLabVm, startWorkload, stopWorkload, workloadStatus } from '../../lab/index.ts'
import { openRepository } from '../../repository/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { findVm } from '../verbs/common.ts'
import type { Installation, NewRepository } from './installation.ts'
import { journalSourceBytes, nothingMeasured, type DemoFacts, type PointFacts } from './proven.ts'
import { waitForCompletion } from './runs.ts'
import {
  finishBackup,
  guestChecks,
  sessionObjects,
  startBackup,
  waitForJournals,
  writeFigures,
  type Backup,
} from './scenes.ts'
import { readAgainText } from './summary.ts'
import { oracleFolder, type DemoStage, type Narrator } from './stage.ts'

const tuning = { moverHeartbeatMs: 12_000, journalSourceBytes }
const dataMiB = { before: 192, between: 160 }

/** Called with each fact as soon as it is measured: a story that breaks off leaves what was seen until then. */
export type Learn = (seen: Partial<DemoFacts>) => void

/** The main job, scene by scene. Throws where something that must work did not; the facts say what is proven. */
export async function tellStory(stage: DemoStage, narrator: Narrator, learn: Learn): Promise<void> {
  const { at, lab } = stage
  let durations: DemoFacts['durations'] = {}
  const scene = async <T>(key: string, title: string, act: () => Promise<T>): Promise<T> => {
    narrator.scene(title)
    const started = Date.now()
    try {
      return await act()
    } finally {
      durations = { ...durations, [key]: Date.now() - started }
      learn({ durations })
    }
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
  let throughput: DemoFacts['throughput'] = {
    ...nothingMeasured.throughput,
    fullBytesPerSecond: perSecond(full.copied.readBytes, full.copyMs),
  }
  learn({ points: [factsOf(full)], frozenMs: full.point.freezeDurationMs, throughput })

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
  const { bytesResumed, bytesReadAgain } = second.copied
  throughput = { ...throughput, incrementalBytesPerSecond: perSecond(second.copied.readBytes, second.copyMs) }
  learn({
    points: [full, second].map(factsOf),
    resume: { killedPid, journalSourceBytes, bytesResumed, bytesReadAgain },
    throughput,
  })
  narrator.note(
    `resumed at the journal: ${formatBytes(bytesResumed)} of the disks stayed done, ${readAgainText(bytesReadAgain)}`,
  )
  const beginningMs = oracle.beginningMs(second.point.id)
  if (beginningMs !== null)
    narrator.note(`of the time frozen ${beginningMs} ms were for the demo's own copies of the disks, to compare with`)
  await stopWorkload(guest)

  await scene('verify', 'Verify: decrypt, decompress and hash every stored chunk', async () => {
    await using opened = await openRepository({
      location: { kind: 'posix', path: repository.path },
      secret: { kind: 'passphrase', passphrase: repository.passphrase },
      cacheDir: join(at.home, 'cache', 'demo-verify'),
    })
    const { signal } = new AbortController()
    const report = await opened.verify({ level: 'full', signal, onProgress: () => undefined })
    const { level, points, chunks, damages, quarantined, notes } = report
    learn({ verify: { level, points, chunks, damages: damages.length, quarantined, notes } })
    narrator.note(`${chunks} chunks in ${report.packs} packs, ${damages.length} damaged`)
    for (const note of notes) narrator.note(note)
  })

  await scene('restore', 'Restore to a new VM and compare with QEMU’s own image of the same instant', async () => {
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
    const { writtenBytes, writeMs } = writeFigures(await waitForCompletion(at.api, runId))
    const durationMs = Date.now() - started
    narrator.note(`${formatBytes(writtenBytes)} written in ${formatDuration(writeMs)}, holes stay holes`)
    const copy = await findLabVm(lab, name)
    // A copy that lacks a disk is not identical, whatever the comparison of the others says.
    let identical = copy.description.disks.length === second.point.disks.length
    for (const disk of copy.description.disks) {
      const file = { file: join(copy.dir, disk.file), format: disk.format }
      const compared = await oracle.compare(second.point.id, disk.key, file)
      identical &&= compared.identical
      narrator.note(
        `${disk.key}: ${compared.identical ? 'identical, byte for byte' : `DIFFERENT: ${JSON.stringify(compared)}`}`,
      )
    }
    throughput = { ...throughput, restoreBytesPerSecond: perSecond(writtenBytes, writeMs) }
    const { logicalBytes } = second.point
    learn({ restore: { identical, logicalBytes, writtenBytes, writeMs, durationMs }, throughput })
  })

  await scene('drill', 'Drill: boot it in isolation and look inside', async () => {
    const body = { pointId: second.point.id, checks: guestChecks(rows), bootTimeoutMs: 120_000, reason: 'demo', tuning }
    const { runId } = await ask(at.api.POST('/drills', { body }))
    await waitForCompletion(at.api, runId)
    const { items } = await ask(at.api.GET('/drills', { params: { query: { pointId: second.point.id, limit: 10 } } }))
    const row = items.find((it) => it.run.runId === runId)
    if (!row) throw new HoldfastError('Internal', `the drill of run ${runId} is not in the catalog`)
    const { verdict, rtoSeconds, screenshot } = row
    const params = { path: { id: row.id } }
    const { genuine, key } = await ask(at.api.GET('/drills/{id}/verification', { params }))
    learn({ drill: { verdict, rtoSeconds, screenshot, genuine } })
    const detail = await ask(at.api.GET('/drills/{id}', { params }))
    for (const check of detail.checks) narrator.note(`${check.passed ? '✓' : '✗'} ${check.title}: ${check.detail}`)
    narrator.note(
      `${verdict}; recovery time ${rtoSeconds?.toFixed(1) ?? '–'} s; screenshot ${screenshot ? at.url + screenshot : 'none'}`,
    )
    narrator.note(
      `${genuine ? 'signed' : 'NOT WHAT WAS SIGNED'}, key ${key}: holdfast drill export ${row.id} proof.html`,
    )
  })

  learn({ ratios: await usageOf(at, repository) })
}

function factsOf({ point }: Backup): PointFacts {
  return {
    id: point.id,
    mode: point.mode,
    validated: point.validatedMs !== null,
    consistency: point.consistency,
    logicalBytes: point.logicalBytes,
    readBytes: point.readBytes,
    newBytes: point.newBytes,
    freezeDurationMs: point.freezeDurationMs,
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

/** Files on the first disk: half random, a quarter a copy of that, a quarter text. An emulated guest draws slowly. */
async function write(
  guest: { shell(script: string, limit?: number): Promise<string> },
  mib: number,
  number: number,
): Promise<void> {
  const [half, quarter] = [Math.floor(mib / 2), Math.floor(mib / 4)]
  const file = `/data/0/demo-${number}`
  const script = `dd if=/dev/urandom of=${file}.bin bs=1M count=${half} conv=fsync status=none &&
    dd if=${file}.bin of=${file}.copy bs=1M count=${quarter} conv=fsync status=none &&
    yes 'order 4711: 3 pieces, paid, shipped' | head -c 1048576 > /run/text &&
    for i in $(seq ${quarter}); do cat /run/text; done > ${file}.txt && sync ${file}.txt && rm /run/text`
  await guest.shell(script, 300_000)
}

function tellBackup(backup: Backup, narrator: Narrator): Backup {
  const { point, copied, copyMs } = backup
  for (const disk of point.disks) narrator.note(`${disk.disk}: ${disk.mode}${disk.why ? ` (${disk.why})` : ''}`)
  narrator.note(
    `${formatBytes(copied.readBytes)} read in ${formatDuration(copyMs)}, ${formatBytes(point.newBytes)} stored, ${point.consistency}-consistent, ${point.freezeDurationMs === null ? 'NOT frozen' : `frozen for ${point.freezeDurationMs} ms`}`,
  )
  return backup
}

async function usageOf(at: Installation, repository: NewRepository): Promise<DemoFacts['ratios']> {
  const path = { id: repository.row.id }
  await ask(at.api.POST('/repositories/{id}/test', { params: { path } }))
  const { usage } = await ask(at.api.GET('/repositories/{id}', { params: { path } }))
  return { dedup: usage?.dedupRatio ?? null, compression: usage?.compressionRatio ?? null }
}

function perSecond(bytes: number, ms: number): number | null {
  return ms > 0 ? Math.round((bytes * 1000) / ms) : null
}
