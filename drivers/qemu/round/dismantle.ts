import { rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, describeError } from '../../../base/index.ts'
import { isAbsent } from '../../errors.ts'
import { isOpKey, readDiskName } from '../../names.ts'
import { BlockGraph, dialUnix, type QmpCaller } from '../../qmp/index.ts'
import type { OpKey, OwnedKind, Residue } from '../../values.ts'
import { isDeath } from '../effects.ts'
import { scratchFolder, type Monitor, type Vm } from '../vm.ts'
import { filesIn, type RoundRecord } from './record.ts'

/** Whose objects are meant: one operation's, or all of an installation. */
export type Selection = (opKey: OpKey) => boolean

/** Collects what could not be undone, so that one failure does not keep the rest from being undone (drivers.md R8). */
export class Undoing {
  readonly residue: Residue[] = []

  async try(kind: OwnedKind, id: string, undo: () => Promise<unknown>): Promise<boolean> {
    try {
      await undo()
      return true
    } catch (error) {
      if (isDeath(error)) throw error
      if (isAbsent(error)) return true
      this.residue.push({
        kind,
        id,
        error: describeError(error),
        hint: 'Holdfast tries again at the next run on this VM; the orphan sweep lists it until it is gone.',
      })
      return false
    }
  }
}

interface JobInfo {
  readonly id: string
  readonly status: string
  readonly error?: string
}
export interface ExportInfo {
  readonly id: string
  readonly 'node-name': string
}

export function queryExports(qmp: QmpCaller): Promise<readonly ExportInfo[]> {
  return qmp.call<readonly ExportInfo[]>('query-block-exports')
}
export function queryJobs(qmp: QmpCaller): Promise<readonly JobInfo[]> {
  return qmp.call<readonly JobInfo[]>('query-jobs')
}

/**
 * Takes down all that the selected rounds have in QEMU: exports, server, jobs, filters, nodes (drivers.md §6.3). The
 * guest writes on undisturbed. Bitmaps are not touched: they are busy until this is done, and what becomes of them is
 * the round's business. Any part may be missing.
 */
export async function dismantle(vm: Vm, monitor: Monitor, selected: Selection, undoing: Undoing): Promise<void> {
  const mine = (name: string): boolean => {
    const read = readDiskName(name)
    return read !== null && selected(read.opKey)
  }
  for (const { id } of (await queryExports(monitor)).filter((e) => mine(e.id)))
    await undoing.try('export', id, async () => {
      await monitor.call('block-export-del', { id, mode: 'hard' })
      await until(`export ${id} is gone`, async () => (await queryExports(monitor)).every((e) => e.id !== id))
    })
  await stopServer(vm, monitor, selected, undoing)
  for (const { id, status } of (await queryJobs(monitor)).filter((j) => mine(j.id)))
    await undoing.try('block-job', id, async () => {
      if (status !== 'concluded') await monitor.call('job-cancel', { id })
      await until(`job ${id} has ended`, async () => {
        const job = (await queryJobs(monitor)).find((j) => j.id === id)
        return job === undefined || job.status === 'concluded'
      })
      await monitor.call('job-dismiss', { id })
    })
  await removeNodes(monitor, mine, undoing)
}

async function removeNodes(monitor: Monitor, mine: (name: string) => boolean, undoing: Undoing): Promise<void> {
  const remove = (name: string): Promise<boolean> =>
    undoing.try('scratch', name, () => monitor.call('blockdev-del', { 'node-name': name }))
  const graph = await BlockGraph.read(monitor)
  const ofKind = (what: string): string[] => graph.names().filter((n) => mine(n) && readDiskName(n)?.what === what)
  for (const name of ofKind('access')) await remove(name)
  // What QEMU has, not what `vm.json` says now: the description may have lost a disk since the round began.
  for (const { id, top } of graph.devices()) {
    if (!mine(top)) continue
    // Its child, whatever that is now: a job's own filter may have come in between, and must stay in the path.
    const below = graph.child(top)
    await undoing.try('scratch', top, () =>
      monitor.call('qom-set', { path: `/machine/peripheral/${id}`, property: 'drive', value: below }),
    )
  }
  for (const what of ['filter', 'scratch', 'seed']) for (const name of ofKind(what)) await remove(name)
}

/** One NBD server per QEMU: it is ours if our socket answers, and is stopped only when nobody exports anything any more. */
async function stopServer(vm: Vm, monitor: Monitor, selected: Selection, undoing: Undoing): Promise<void> {
  for (const opKey of await socketsOf(vm)) {
    if (!selected(opKey) || !(await answers(join(vm.paths.dir, `${opKey}.sock`)))) continue
    if ((await queryExports(monitor)).length > 0) continue
    await undoing.try('export', `${opKey}.sock`, () => monitor.call('nbd-server-stop'))
  }
}

export async function socketsOf(vm: Vm): Promise<readonly OpKey[]> {
  return (await filesIn(vm.paths.dir)).flatMap((name) => {
    const key = name.endsWith('.sock') ? name.slice(0, -'.sock'.length) : ''
    return isOpKey(key) ? [key] : []
  })
}

export async function answers(path: string): Promise<boolean> {
  try {
    ;(await dialUnix(path, 'the NBD server', AbortSignal.timeout(2_000))).destroy()
    return true
  } catch (error) {
    return !(error instanceof HoldfastError && error.data?.['gone'] === true)
  }
}

/** Scratch images of the selected rounds; after `dismantle`, or when QEMU does not run. */
export async function removeScratch(
  vm: Vm,
  selected: Selection,
  folders: ReadonlySet<string>,
  undoing: Undoing,
): Promise<void> {
  for (const { file } of await scratchFiles(folders, selected))
    await undoing.try('scratch', file, () =>
      vm.host.effects.run('file: remove scratch', () => rm(file, { force: true })),
    )
}

/** All files of the selected rounds but their records: scratch images, sockets, the scratch folder once it is empty. */
export async function removeFiles(
  vm: Vm,
  selected: Selection,
  folders: ReadonlySet<string>,
  undoing: Undoing,
): Promise<void> {
  await removeScratch(vm, selected, folders, undoing)
  const own = scratchFolder(vm)
  if (own !== vm.dir) await undoing.try('scratch', own, () => removeEmpty(own))
  for (const opKey of (await socketsOf(vm)).filter(selected)) {
    const file = join(vm.paths.dir, `${opKey}.sock`)
    await undoing.try('export', file, () => vm.host.effects.run('file: remove socket', () => rm(file, { force: true })))
  }
}

async function removeEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder)
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

/** Every folder in which scratch of this VM may lie: its own of today, and those its rounds were begun with. */
export function scratchFolders(vm: Vm, rounds: readonly RoundRecord[]): ReadonlySet<string> {
  return new Set([vm.dir, scratchFolder(vm), ...rounds.map((r) => r.scratch)])
}

export async function scratchFiles(
  folders: ReadonlySet<string>,
  selected: Selection,
): Promise<readonly { readonly file: string; readonly opKey: OpKey }[]> {
  const out = []
  for (const folder of folders)
    for (const name of await filesIn(folder)) {
      const opKey = /^(hf-[a-z2-7]{6}-[a-z2-7]{13})\.\d{1,3}\.qcow2$/.exec(name)?.[1]
      if (opKey !== undefined && selected(opKey as OpKey)) out.push({ file: join(folder, name), opKey: opKey as OpKey })
    }
  return out
}

async function until(what: string, reached: () => Promise<boolean>, limit = 15_000): Promise<void> {
  const deadline = Date.now() + limit
  for (let pause = 2; !(await reached()); pause = Math.min(2 * pause, 100)) {
    if (Date.now() >= deadline) throw new HoldfastError('HypervisorTimeout', `waited ${limit} ms in vain until ${what}`)
    await sleep(pause)
  }
}
