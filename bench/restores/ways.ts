import { createHash } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ask, done, type Schemas } from '../../cli/client/index.ts'
import { waitForCompletion, writeFigures, type Installation, type Runbook } from '../../cli/demo/index.ts'
import { runProgram } from '../../drivers/transport/index.ts'
import { compareImages, findLabVm, LabVm, startedLabVm, type Image, type Lab } from '../../lab/index.ts'
import type { FilledVm } from './source.ts'
import type { OpenStore } from './stores.ts'

export interface WayBack {
  readonly at: Installation
  readonly lab: Lab
  readonly vm: FilledVm
  readonly store: OpenStore
  readonly hypervisorId: string
  readonly point: Schemas['PointDetail']
}

export interface Back {
  /** From the request until it is of use: the run has ended, the guest answers, the first listing is there, the file is whole. */
  readonly firstMs: number
  readonly moved: number
  readonly movedMs: number
  readonly verdict: string
}

export type Way = 'whole' | 'disk' | 'instant' | 'files' | 'export' | 'offline'

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const reason = 'bench'
const mostFiles = 4

/** In this order: the last one replaces the disk of the VM itself. */
export const ways: {
  readonly [way in Way]: { readonly title: string; readonly back: (of: WayBack) => Promise<Back> }
} = {
  whole: { title: 'whole VM, as a new one', back: whole },
  instant: { title: 'instant: boot, then all of the disk over NBD', back: instant },
  files: { title: 'files through the micro-VM', back: files },
  export: { title: 'a disk as qcow2, `holdfast point export`', back: exported },
  offline: { title: 'a disk as raw, `holdfast repo export`', back: offline },
  disk: { title: 'single disk, in its place', back: disk },
}

async function verdictOf(a: Image, b: Image): Promise<string> {
  const seen = await compareImages(a, b)
  if (seen.identical) return 'identical'
  return seen.reason === 'size' ? `of ${seen.sizes.join(' and ')} bytes` : `differs at ${seen.offset}`
}

function written(book: Runbook, startedMs: number): Omit<Back, 'verdict'> {
  const { writtenBytes, writeMs } = writeFigures(book)
  return { firstMs: Date.now() - startedMs, moved: writtenBytes, movedMs: writeMs }
}

async function imageOf(vm: LabVm): Promise<Image> {
  const [first] = (await LabVm.open(vm.dir)).description.disks
  if (first === undefined) throw new RangeError(`${vm.name} has no disk`)
  return { file: join(vm.dir, first.file), format: first.format }
}

async function whole({ at, lab, vm, store, hypervisorId, point }: WayBack): Promise<Back> {
  const startedMs = Date.now()
  const name = `${vm.vm.name}-${store.kind}`
  const target = { kind: 'new', hypervisorId, name } as const
  const { runId } = await ask(
    at.api.POST('/restores', { body: { pointId: point.id, target, identity: 'new', reason, tuning: {} } }),
  )
  const back = written(await waitForCompletion(at.api, runId), startedMs)
  const made = await findLabVm(lab, name)
  const verdict = await verdictOf(vm.image, await imageOf(made))
  rmSync(made.dir, { recursive: true })
  return { ...back, verdict }
}

/** The rest of its time is the safety point before. */
async function disk({ at, vm, point }: WayBack): Promise<Back> {
  const startedMs = Date.now()
  const { name } = vm.vm
  const before = new Set(readdirSync(vm.vm.dir))
  const body = {
    ...{ pointId: point.id, target: { kind: 'original', confirmName: name } as const, disks: [keyOf(point)] },
    ...{ identity: 'same' as const, reason, tuning: {} },
  }
  const { runId } = await ask(at.api.POST('/restores', { body }))
  const back = written(await waitForCompletion(at.api, runId), startedMs)
  const now = await imageOf(vm.vm)
  const isNew = !before.has(now.file.slice(vm.vm.dir.length + 1))
  return { ...back, verdict: isNew ? await verdictOf(vm.image, now) : 'the disk was not replaced' }
}

function keyOf(point: Schemas['PointDetail']): string {
  return point.disks[0]?.disk ?? ''
}

/** Its guest writes into an overlay, so what is served stays the point. */
async function instant({ at, lab, vm, hypervisorId, point }: WayBack): Promise<Back> {
  const startedMs = Date.now()
  const name = `${vm.vm.name}-now`
  const body = { pointId: point.id, hypervisorId, name, network: 'isolated', identity: 'new', reason } as const
  const { runId } = await ask(at.api.POST('/instants', { body }))
  const params = { path: { run: runId } }
  const guest = await startedLabVm(lab, name)
  await guest.ready(180_000)
  const firstMs = Date.now() - startedMs
  const copy = { file: join(at.home, 'copy.raw'), format: 'raw' } as const
  try {
    const folder = join(at.home, 'served')
    const socket = readdirSync(folder).find((file) => file.endsWith('.sock')) ?? ''
    const from = `nbd:unix:${join(folder, socket)}:exportname=${keyOf(point)}`
    const beganMs = Date.now()
    await runProgram('qemu-img', ['convert', '-m', '8', '-W', '-f', 'raw', '-O', 'raw', from, copy.file], {
      limit: 600_000,
    })
    const movedMs = Date.now() - beganMs
    return { firstMs, moved: vm.used, movedMs, verdict: await verdictOf(vm.image, copy) }
  } finally {
    rmSync(copy.file, { force: true })
    await ask(at.api.POST('/instants/{run}/discard', { params, body: { confirmName: name, reason } }))
    await waitForCompletion(at.api, runId)
  }
}

async function files({ at, vm, point }: WayBack): Promise<Back> {
  const startedMs = Date.now()
  const { api } = at
  const body = { pointId: point.id, disks: null, view: 'files', idleMinutes: 15, reason, tuning: {} } as const
  const { runId, workflowId } = await ask(api.POST('/files', { body }))
  const path = { session: workflowId.slice('files/'.length) }
  try {
    const volume = await openVolume(at, path.session)
    await ask(api.GET('/files/{session}/entries', { params: { path, query: { volume, path: '/' } } }))
    const firstMs = Date.now() - startedMs
    const wanted = vm.files.slice(0, mostFiles)
    const wrong: string[] = []
    const beganMs = Date.now()
    for (const file of wanted) {
      const params = { path, query: { volume, path: file.path } }
      const data = await ask(api.GET('/files/{session}/content', { params, parseAs: 'arrayBuffer' }))
      if (createHash('sha256').update(Buffer.from(data)).digest('hex') !== file.sha256) wrong.push(file.path)
    }
    const movedMs = Date.now() - beganMs
    const moved = wanted.reduce((sum, { bytes }) => sum + bytes, 0)
    return { firstMs, moved, movedMs, verdict: wrong.length === 0 ? 'identical' : `differs: ${wrong.join(', ')}` }
  } finally {
    await done(api.POST('/files/{session}/end', { params: { path }, body: { reason } }))
    await waitForCompletion(api, runId)
  }
}

async function openVolume({ api }: Installation, session: string): Promise<string> {
  for (const until = Date.now() + 180_000; ; await sleep(50)) {
    const { data, response } = await api.GET('/files/{session}/volumes', { params: { path: { session } } })
    if (data !== undefined) return data.items.find(({ state }) => state === 'files')?.id ?? ''
    if (response.status !== 503 || Date.now() > until) throw new Error(`the files are not open: ${response.status}`)
  }
}

function exported({ at, vm, point }: WayBack): Promise<Back> {
  const to = { file: join(at.home, 'export.qcow2'), format: 'qcow2' } as const
  return byCommand(at, vm, to, ['point', 'export', vm.vm.name, point.id, to.file, '--disk', keyOf(point)])
}

function offline({ at, vm, store, point }: WayBack): Promise<Back> {
  const to = { file: join(at.home, 'export.raw'), format: 'raw' } as const
  const place = ['--repo', store.url, '--passphrase-file', store.passphraseFile]
  return byCommand(at, vm, to, ['repo', 'export', point.stem, keyOf(point), to.file, ...place])
}

/** The start of its process included. */
async function byCommand(at: Installation, vm: FilledVm, to: Image, args: readonly string[]): Promise<Back> {
  const env = { ...process.env, HOLDFAST_HOME: at.home }
  const beganMs = Date.now()
  try {
    await runProgram(execPath, ['--disable-warning=ExperimentalWarning', main, ...args], { env, limit: 600_000 })
    const tookMs = Date.now() - beganMs
    return { firstMs: tookMs, moved: vm.used, movedMs: tookMs, verdict: await verdictOf(vm.image, to) }
  } finally {
    rmSync(to.file, { force: true })
  }
}
