import { access, constants, stat } from 'node:fs/promises'
import { bytes, describeError, formatBytes, isHoldfastError } from '../../base/index.ts'
import { installationTag, ownsOpKey, readDiskName } from '../names.ts'
import { planBegin, type DiskView } from '../qmp/index.ts'
import type { OpContext } from '../driver.ts'
import type { DiskKey, DiskRef, Finding, MustFullReason, PointRequest, TrackerId } from '../values.ts'
import { resolveFile } from './description.ts'
import { describedDisks, foreignOverlays, inspectDisks } from './disks.ts'
import { readOwner } from './owner.ts'
import { queryExports } from './round/dismantle.ts'
import { storedViews } from './round/offline.ts'
import { chooseVariant, type Variant } from './round/prepare.ts'
import { otherRound } from './round/fence.ts'
import { spaceLeft } from './round/rescue.ts'
import { isStopped, runState, withAgent, withMonitor, type Monitor, type Vm } from './vm.ts'

export interface Preflight {
  readonly findings: readonly Finding[]
  readonly disks: readonly {
    readonly disk: DiskRef
    readonly mode: 'full' | 'incremental'
    readonly why: MustFullReason | null
  }[]
}

/** Looks at everything and collects all that it finds, so that a person has one list to work through. */
export async function preflightVm(vm: Vm, ctx: OpContext, request: PointRequest): Promise<Preflight> {
  const found = new Findings()
  await found.look('owner', () => checkOwner(vm, ctx, found))
  await found.look('description', async () => found.list.push(...(await describedDisks(vm)).findings))
  const state = await found.look('monitor', () => liveState(vm, ctx, request.tracker, found))
  const views = state?.views ?? []
  const disks = request.disks.flatMap((wish) => {
    const seen = views.find((v) => v.view.key === wish.disk)
    if (!seen) {
      if (state)
        found.add(
          'disk-missing',
          'blocking',
          wish.disk,
          `the VM has no disk ${wish.disk}`,
          'Take it out of the plan, or attach it again.',
        )
      return []
    }
    const id = { installation: ctx.installation, tracker: request.tracker, point: request.pointId }
    const { mode, why } = planBegin(id, {
      view: seen.view,
      since: wish.since,
      full: wish.full,
      seed: { node: '', name: '' },
    })
    if (why !== null && why !== 'no-parent')
      found.add(
        'full',
        'info',
        wish.disk,
        `disk ${wish.disk} is read in full: ${why}`,
        'Nothing to do; the next point is incremental again.',
      )
    return [{ disk: seen.ref, mode, why }]
  })
  await found.look('scratch', () =>
    checkScratch(
      vm,
      state?.variant ?? 'filter',
      disks.map((d) => d.disk),
      found,
    ),
  )
  if (state?.running && request.want !== 'crash') await found.look('agent', () => checkAgent(vm, ctx, found))
  return { findings: found.list, disks }
}

class Findings {
  readonly list: Finding[] = []

  add(code: string, severity: Finding['severity'], disk: DiskKey | null, message: string, hint: string): void {
    this.list.push({ code, severity, disk, message, hint })
  }

  /** A look that fails is a blocking finding of its own. */
  async look<T>(what: string, at: () => Promise<T>): Promise<T | null> {
    try {
      return await at()
    } catch (error) {
      const hint = isHoldfastError(error) ? error.hint : 'Look at the worker’s log.'
      if (isHoldfastError(error) && error.code === 'Cancelled') throw error
      this.add(`${what}-unreadable`, 'blocking', null, describeError(error), hint)
      return null
    }
  }
}

interface Seen {
  readonly view: DiskView
  readonly ref: DiskRef
}
interface LiveState {
  readonly running: boolean
  readonly variant: Variant
  readonly views: readonly Seen[]
}

async function liveState(vm: Vm, ctx: OpContext, tracker: TrackerId, found: Findings): Promise<LiveState> {
  try {
    return await withMonitor(vm, (monitor) => running(vm, monitor, ctx, tracker, found), ctx.signal)
  } catch (error) {
    if (!isStopped(error)) throw error
  }
  found.add(
    'vm-stopped',
    'info',
    null,
    `VM “${vm.description.name}” is off: it is started without letting it run, and switched off again`,
    'Nothing to do.',
  )
  const { disks } = await describedDisks(vm)
  const views = await storedViews(vm, disks)
  return { running: false, variant: 'filter', views }
}

async function running(
  vm: Vm,
  monitor: Monitor,
  ctx: OpContext,
  tracker: TrackerId,
  found: Findings,
): Promise<LiveState> {
  const state = await runState(monitor)
  if (state === 'io-error')
    found.add(
      'guest-io-error',
      'blocking',
      null,
      'the guest waits for its storage',
      'Make space where its disks or our scratch lie; Holdfast resumes a guest that its own scratch has paused.',
    )
  const exports = await queryExports(monitor)
  const other = await otherRound(vm, ctx, tracker, exports)
  if (other !== null) found.add('Busy', 'blocking', null, other, 'It goes on when that one has ended.')
  const foreign = exports.filter((e) => !ownsOpKey(ctx.installation, readDiskName(e.id)?.opKey ?? ''))
  if (foreign.length > 0)
    found.add(
      'nbd-busy',
      'blocking',
      null,
      `another program exports disks of this VM: ${foreign.map((e) => e.id).join(', ')}`,
      'QEMU has one NBD server; wait until the other backup or migration has ended.',
    )
  if (exports.length > foreign.length)
    found.add(
      'leftovers',
      'info',
      null,
      'an earlier round was not ended',
      'Nothing to do: the next point clears it up.',
    )
  const disks = await inspectDisks(vm, monitor)
  for (const d of disks) {
    for (const node of foreignOverlays(d))
      found.add(
        'foreign-overlay',
        'warning',
        d.ref.key,
        `disk ${d.ref.key} has an overlay on top that is not ours: ${node}`,
        'Commit or remove it when it is no longer needed; until then points contain what it shows, and the next one is full.',
      )
    if (d.view.tracking === 'memory')
      found.add(
        'tracked-in-memory',
        'info',
        d.ref.key,
        `disk ${d.ref.key} is raw: its changes are tracked as long as QEMU runs`,
        'Convert it to qcow2 to keep tracking over a power-off.',
      )
  }
  const variant = await chooseVariant(vm, monitor)
  return { running: state === 'running', variant, views: disks.map((d) => ({ view: d.view, ref: d.ref })) }
}

async function checkOwner(vm: Vm, ctx: OpContext, found: Findings): Promise<void> {
  const owner = await readOwner(vm)
  if (owner && installationTag(owner.installation) !== ctx.installation)
    found.add(
      'foreign-owner',
      'blocking',
      null,
      `the VM is protected by the installation “${owner.name}” since ${owner.since}`,
      'Remove it there first.',
    )
}

/**
 * Room is a must where a full scratch can stop the guest: in the job variant, which pauses it (drivers.md §6.5), and
 * wherever the guest's own disks grow in the same file system. Elsewhere a full scratch costs the round only.
 */
async function checkScratch(vm: Vm, variant: Variant, disks: readonly DiskRef[], found: Findings): Promise<void> {
  const folder = vm.host.scratch ?? vm.dir
  await stat(folder)
  try {
    await access(folder, constants.W_OK)
  } catch (error) {
    found.add(
      'scratch-not-writable',
      'blocking',
      null,
      `cannot write to ${folder}: ${describeError(error)}`,
      'Give the worker write access, or set the option “scratch” of the endpoint.',
    )
    return
  }
  const { free, kept } = await spaceLeft(folder)
  const reserve = Math.ceil(disks.reduce((sum, d) => sum + d.size, 0) * vm.host.scratchReserve)
  const need = Math.max(reserve, kept)
  if (free >= need) return
  const stops = free < kept || variant === 'job' || (await sharesDisks(vm, folder))
  found.add(
    'scratch-space',
    stops ? 'blocking' : 'warning',
    null,
    `${folder} has ${formatBytes(bytes(free))} free; ${formatBytes(bytes(need))} are wanted for what the guest overwrites during the backup${stops ? ', because a full file system there would stop the guest' : ''}`,
    'Free some space, set the option “scratch” to another folder, or lower “scratchReserve”.',
  )
}

async function sharesDisks(vm: Vm, folder: string): Promise<boolean> {
  const { dev } = await stat(folder)
  const files = await Promise.all(vm.description.disks.map((d) => stat(resolveFile(vm.dir, d.file))))
  return files.some((file) => file.dev === dev)
}

async function checkAgent(vm: Vm, ctx: OpContext, found: Findings): Promise<void> {
  try {
    await withAgent(
      vm,
      async (agent) => {
        if ((await agent.freezeStatus()) === 'frozen')
          return found.add(
            'guest-frozen',
            'warning',
            null,
            'the guest is frozen',
            'Holdfast thaws it before it takes the point.',
          )
        const probe = await agent.exec('/bin/sh', ['-c', 'command -v fsfreeze'], 5_000, ctx.signal)
        if (probe.exit !== 0) deadlineFinding(vm, found, 'the guest has no fsfreeze(8)')
      },
      { limit: 2_000, signal: ctx.signal },
    )
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    if (error.code === 'GuestAgentDisabled' && error.native) deadlineFinding(vm, found, error.message)
    else found.add('agent-missing', 'warning', null, error.message, error.hint)
  }
}

function deadlineFinding(vm: Vm, found: Findings, why: string): void {
  const forced = vm.host.freezeWithoutDeadline
  found.add(
    'no-thaw-deadline',
    'warning',
    null,
    forced
      ? `${why}: the guest is frozen without a deadline of its own`
      : `${why}: the guest is not frozen, the point is crash-consistent`,
    'Allow guest-exec in the agent’s configuration and install util-linux in the guest.',
  )
}
