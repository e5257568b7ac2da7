import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, bytes, instant } from '../../base/index.ts'
import {
  opKeyFor,
  ownsOpKey,
  readBitmapName,
  readDiskName,
  readStagingFolder,
  readTargetFile,
  readVolumeFile,
  stagingFolder,
} from '../names.ts'
import { BlockGraph } from '../qmp/index.ts'
import type { OpContext } from '../driver.ts'
import type { Instant, OpKey, OwnedKind, OwnedObject } from '../values.ts'
import { VM_FILE } from './description.ts'
import { inspectDisks } from './disks.ts'
import type { Host } from './host.ts'
import { queryExports, queryJobs, scratchFiles, scratchFolders, socketsOf, Undoing } from './round/dismantle.ts'
import { undoRounds } from './round/finish.ts'
import { removeBitmaps } from './round/bitmaps.ts'
import { removeStoredBitmap, storedBitmaps } from './round/offline.ts'
import { readRounds } from './round/record.ts'
import { filesInUse, removeStaged, removeVm, removeVolumes } from './target/index.ts'
import {
  isRunning,
  isStopped,
  listVms,
  locateVm,
  runState,
  withAgent,
  withMonitor,
  type Monitor,
  type Vm,
} from './vm.ts'

/**
 * Everything on this endpoint that carries our installation's mark: what rounds and restores have under way or left,
 * and the references (`bitmap`) that later rounds build on. VMs that cannot be read end the listing with their error,
 * after all others: a listing that left them out would look complete.
 */
export async function* listOwned(host: Host, ctx: OpContext): AsyncGenerator<OwnedObject, void, undefined> {
  let failure: HoldfastError | undefined
  for await (const found of listVms(host)) {
    ctx.signal.throwIfAborted()
    if ('error' in found) failure ??= found.error
    else yield* ownedBy(found.vm, ctx)
  }
  yield* unnamed(host, ctx)
  if (failure) throw failure
}

/** Folders of restores that were cut off before they were VMs. */
async function* unnamed(host: Host, ctx: OpContext): AsyncGenerator<OwnedObject, void, undefined> {
  const { address } = host.endpoint
  for (const name of await readdir(address)) {
    const opKey = readStagingFolder(name)
    if (opKey !== null && ownsOpKey(ctx.installation, opKey) && !existsSync(join(address, name, VM_FILE)))
      yield { kind: 'vm', id: join(address, name), opKey, vm: null, createdAt: null, size: null }
  }
}

async function* ownedBy(vm: Vm, ctx: OpContext): AsyncGenerator<OwnedObject, void, undefined> {
  const mine = (opKey: string): opKey is OpKey => ownsOpKey(ctx.installation, opKey)
  const rounds = await readRounds(vm, ctx.installation)
  const createdAt = (opKey: string): Instant | null =>
    (rounds.find((r) => r.opKey === opKey)?.createdAt as Instant | undefined) ?? null
  const owned = (kind: OwnedKind, id: string, opKey: OpKey, size: number | null = null): OwnedObject => ({
    kind,
    id,
    opKey,
    vm: vm.ref,
    createdAt: createdAt(opKey),
    size: size === null ? null : bytes(size),
  })
  const { opKey } = vm.description
  if (opKey !== null && mine(opKey))
    yield { ...owned('vm', vm.dir, opKey), createdAt: instant(Date.parse(vm.description.created)) }
  for (const r of rounds) yield owned('lock', r.opKey, r.opKey as OpKey)
  for (const { file, opKey } of await scratchFiles(scratchFolders(vm, rounds), mine))
    yield owned('scratch', file, opKey, (await stat(file)).blocks * 512)
  for (const opKey of (await socketsOf(vm)).filter(mine))
    yield owned('export', join(vm.paths.dir, `${opKey}.sock`), opKey)
  yield* restoresOf(vm, mine, owned)
  yield* await inQemu(vm, ctx, owned)
}

type MakeOwned = (kind: OwnedKind, id: string, opKey: OpKey, size?: number | null) => OwnedObject

/** New volumes of a replacement that no VM uses; of a new VM, its mark stands for all of it. */
async function* restoresOf(
  vm: Vm,
  mine: (opKey: string) => boolean,
  owned: MakeOwned,
): AsyncGenerator<OwnedObject, void, undefined> {
  const used = await filesInUse(vm.host)
  for (const name of await readdir(vm.dir)) {
    const opKey = readVolumeFile(name)
    if (opKey !== null && mine(opKey) && opKey !== vm.description.opKey && !used.has(join(vm.dir, name)))
      yield owned('volume', join(vm.dir, name), opKey, (await stat(join(vm.dir, name))).blocks * 512)
    const plan = readTargetFile(name)
    if (plan !== null && mine(plan) && plan !== vm.description.opKey) yield owned('lock', join(vm.dir, name), plan)
  }
}

async function inQemu(vm: Vm, ctx: OpContext, owned: MakeOwned): Promise<readonly OwnedObject[]> {
  const bitmap = (node: string, name: string): OwnedObject[] => {
    const read = readBitmapName(name)
    return read?.installation === ctx.installation
      ? [owned('bitmap', `${node}/${name}`, opKeyFor(ctx.installation, vm.ref, read.point))]
      : []
  }
  try {
    return await withMonitor(vm, (monitor) => living(vm, monitor, ctx, owned, bitmap), ctx.signal)
  } catch (error) {
    if (!isStopped(error)) throw error
    return (await storedBitmaps(vm)).flatMap(({ disk, name }) => bitmap(disk.key, name))
  }
}

async function living(
  vm: Vm,
  monitor: Monitor,
  ctx: OpContext,
  owned: MakeOwned,
  bitmap: (node: string, name: string) => OwnedObject[],
): Promise<readonly OwnedObject[]> {
  const named = (kind: OwnedKind, names: readonly string[]): OwnedObject[] =>
    names.flatMap((name) => {
      const opKey = readDiskName(name)?.opKey
      return opKey !== undefined && ownsOpKey(ctx.installation, opKey) ? [owned(kind, name, opKey)] : []
    })
  const rounds = await readRounds(vm, ctx.installation)
  const state = await runState(monitor)
  const halted = rounds.find((r) => r.switching && state === 'paused')
  const started = rounds.find((r) => r.startedByUs && state === 'prelaunch')
  const frozen = rounds.find((r) => r.freezing)
  return [
    ...named(
      'export',
      (await queryExports(monitor)).map((e) => e.id),
    ),
    ...named(
      'block-job',
      (await queryJobs(monitor)).map((j) => j.id),
    ),
    ...named('scratch', (await BlockGraph.read(monitor)).names()),
    ...(await inspectDisks(vm, monitor)).flatMap((d) => d.view.bitmaps.flatMap((b) => bitmap(b.node, b.name))),
    ...(halted ? [owned('paused-guest', vm.ref.id, halted.opKey as OpKey)] : []),
    ...(started ? [owned('process', vm.ref.id, started.opKey as OpKey)] : []),
    ...(frozen && (await isFrozen(vm)) ? [owned('frozen-guest', vm.ref.id, frozen.opKey as OpKey)] : []),
  ]
}

async function isFrozen(vm: Vm): Promise<boolean> {
  try {
    return await withAgent(vm, async (agent) => (await agent.freezeStatus()) === 'frozen', { limit: 2_000 })
  } catch (error) {
    // Silent although a round was about to freeze it: it may well be stuck in the freeze.
    if (error instanceof HoldfastError) return true
    throw error
  }
}

/** Removes one object after its mark was read again. Of a round, one part is never removed without the others. */
export async function removeOwned(host: Host, ctx: OpContext, object: OwnedObject): Promise<void> {
  const { opKey, kind, id } = object
  if (!ownsOpKey(ctx.installation, opKey)) throw notOurs(object)
  ctx.signal.throwIfAborted()
  const undoing = new Undoing()
  if (kind === 'vm' && id === join(host.endpoint.address, stagingFolder(opKey))) {
    await removeStaged(host, opKey, undoing)
    return requireNone(object, undoing)
  }
  if (!object.vm) throw notOurs(object)
  let vm: Vm
  try {
    vm = await locateVm(host, object.vm.id)
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'NotFound') return
    throw error
  }
  if (kind === 'vm') {
    if (vm.description.opKey !== opKey) throw notOurs(object)
    await removeVm(vm, undoing)
  } else if (kind === 'volume' || readTargetFile(id.slice(id.lastIndexOf('/') + 1)) === opKey)
    await removeVolumes(vm, opKey, undoing)
  else if (kind === 'bitmap') await removeBitmap(vm, ctx, object, undoing)
  else
    undoing.residue.push(
      ...(await undoRounds(
        vm,
        ctx,
        (key) => key === opKey,
        () => false,
      )),
    )
  requireNone(object, undoing)
}

function requireNone({ kind, id }: OwnedObject, { residue }: Undoing): void {
  if (residue.length === 0) return
  throw new HoldfastError('StillInUse', `${kind} ${id} could not be removed: ${residue[0]?.error}`, {
    data: { residue },
    retryAfter: 30_000,
  })
}

async function removeBitmap(vm: Vm, ctx: OpContext, object: OwnedObject, undoing: Undoing): Promise<void> {
  const at = object.id.indexOf('/')
  const [node, name] = [object.id.slice(0, at), object.id.slice(at + 1)]
  const read = readBitmapName(name)
  if (read?.installation !== ctx.installation || opKeyFor(ctx.installation, vm.ref, read.point) !== object.opKey)
    throw notOurs(object)
  if (await isRunning(vm)) {
    await withMonitor(vm, (monitor) => removeBitmaps(monitor, [{ do: 'remove', node, name }], undoing))
    return
  }
  for (const stored of await storedBitmaps(vm))
    if (stored.disk.key === node && stored.name === name) await removeStoredBitmap(vm, stored.disk, name, undoing)
}

function notOurs(object: OwnedObject): HoldfastError {
  return new HoldfastError('NotOurs', `${object.kind} ${object.id} does not carry our mark`)
}
