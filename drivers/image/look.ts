import { installationTag } from '../names.ts'
import { readFile } from 'node:fs/promises'
import { bytes, describeError, isHoldfastError } from '../../base/index.ts'
import { datastoreOf } from '../datastore.ts'
import { readOwnerFile } from '../owner-file.ts'
import type { ConfigExport, OpContext } from '../driver.ts'
import type {
  DiskKey,
  DiskRef,
  Finding,
  MustFullReason,
  PointInTime,
  PointRequest,
  PowerState,
  VmFacts,
} from '../values.ts'
import type { ImageHost } from './host.ts'
import { inspectImage, type ImageState } from './images.ts'
import { planImages } from './round.ts'
import { guessedMachine, listImageVms, type ImageVm } from './vms.ts'

/** Every VM, or those named; what cannot be read is yielded with a blocking finding. */
export async function* discoverImages(
  host: ImageHost,
  ctx: OpContext,
  ids: readonly string[] | undefined,
): AsyncGenerator<VmFacts, void, undefined> {
  const wanted = ids && new Set(ids)
  for await (const found of listImageVms(host)) {
    ctx.signal.throwIfAborted()
    if ('vm' in found) {
      if (!wanted || wanted.has(found.vm.ref.id)) yield await factsOf(found.vm, ctx)
    } else if (!wanted || wanted.has(found.id)) {
      yield {
        vm: { platform: 'image', endpoint: host.endpoint.id, scope: host.scope, id: found.id, name: found.id },
        power: 'unknown',
        tags: [],
        disks: [],
        guest: { agent: 'absent', os: null },
        foreignSnapshots: 0,
        owner: null,
        findings: [finding('vm-unreadable', 'blocking', null, found.error.message, found.error.hint)],
      }
    }
  }
}

/** `unknown` when another process has an image open: most often a hypervisor that runs the VM. */
export async function powerOf(vm: ImageVm, ctx: OpContext): Promise<PowerState> {
  for (const disk of vm.disks) {
    try {
      await inspectImage(vm, disk, ctx.signal)
    } catch (error) {
      if (isHoldfastError(error) && error.code === 'Busy') return 'unknown'
      throw error
    }
  }
  return 'stopped'
}

async function factsOf(vm: ImageVm, ctx: OpContext): Promise<VmFacts> {
  const findings: Finding[] = []
  const disks: DiskRef[] = []
  let power: PowerState = 'stopped'
  for (const disk of vm.disks) {
    try {
      const { ref } = await inspect(vm, disk.key, ctx, () => (power = 'unknown'), findings)
      const datastore = await datastoreOf(vm.ref.endpoint, disk.file)
      disks.push(datastore === undefined ? ref : { ...ref, datastore })
    } catch (error) {
      ctx.signal.throwIfAborted()
      if (!isHoldfastError(error)) throw error
      findings.push(finding('disk-unreadable', 'blocking', disk.key, error.message, error.hint))
    }
  }
  let owner = null
  try {
    owner = await readOwnerFile(vm.ownerFile)
  } catch (error) {
    findings.push(
      finding('owner-unreadable', 'blocking', null, describeError(error), 'Look at the owner mark beside the images.'),
    )
  }
  return {
    vm: vm.ref,
    power,
    tags: vm.tags,
    disks,
    guest: { agent: 'absent', os: null },
    foreignSnapshots: 0,
    owner,
    findings,
  }
}

async function inspect(
  vm: ImageVm,
  key: DiskKey,
  ctx: OpContext,
  isOpen: () => void,
  findings: Finding[],
): Promise<ImageState> {
  const disk = vm.disks.find((d) => d.key === key) as ImageVm['disks'][number]
  try {
    return await inspectImage(vm, disk, ctx.signal)
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'Busy') throw error
    isOpen()
    findings.push(finding('disk-in-use', 'blocking', key, error.message, error.hint))
    return await inspectImage(vm, disk, ctx.signal, true)
  }
}

export interface Preflight {
  readonly findings: readonly Finding[]
  readonly disks: readonly {
    readonly disk: DiskRef
    readonly mode: 'full' | 'incremental'
    readonly why: MustFullReason | null
  }[]
}

/** Each disk by itself, so that a person gets one list. */
export async function preflightImages(vm: ImageVm, ctx: OpContext, request: PointRequest): Promise<Preflight> {
  const findings: Finding[] = []
  const disks: { disk: DiskRef; mode: 'full' | 'incremental'; why: MustFullReason | null }[] = []
  const owner = await readOwnerFile(vm.ownerFile)
  if (owner && installationTag(owner.installation) !== ctx.installation)
    findings.push(
      finding(
        'foreign-owner',
        'blocking',
        null,
        `the VM is protected by the installation “${owner.name}” since ${owner.since}`,
        'Remove it there first.',
      ),
    )
  if (request.want !== 'crash')
    findings.push(
      finding(
        'not-running',
        'info',
        null,
        'the VM is not running: its disks are taken as the guest left them',
        'Nothing to do.',
      ),
    )
  for (const wish of request.disks) {
    try {
      for (const { state, mode, why } of await planImages(vm, ctx, { ...request, disks: [wish] })) {
        disks.push({ disk: state.ref, mode, why })
        if (why === 'tracking-unsupported')
          findings.push(
            finding(
              'untracked',
              'info',
              wish.disk,
              `disk ${wish.disk} is raw, which keeps no bitmaps: it is read in full each time`,
              'Convert it to qcow2 for incremental points.',
            ),
          )
        else if (why !== null && why !== 'no-parent')
          findings.push(
            finding(
              'full',
              'info',
              wish.disk,
              `disk ${wish.disk} is read in full: ${why}`,
              'Nothing to do; the next point is incremental again.',
            ),
          )
      }
    } catch (error) {
      ctx.signal.throwIfAborted()
      if (!isHoldfastError(error)) throw error
      findings.push(
        finding(
          error.code === 'Busy' ? 'disk-in-use' : 'disk-unreadable',
          'blocking',
          wish.disk,
          error.message,
          error.hint,
        ),
      )
    }
  }
  return { findings, disks }
}

/** Sizes are those of the point: the description may be older than its images. */
export function exportImageConfig(vm: ImageVm, point: PointInTime): ConfigExport {
  const machine = vm.portable ?? guessedMachine(vm)
  const known = new Map(machine.disks.map((d) => [d.key as string, d]))
  const disks = point.disks.map(({ disk }, n) => ({
    key: disk.key,
    storage: disk.format,
    size: bytes(disk.size),
    sectorSize: disk.sectorSize,
    bus: known.get(disk.key)?.bus ?? ('virtio' as const),
    bootOrder:
      known.get(disk.key)?.bootOrder ??
      vm.disks.find((d) => d.key === disk.key)?.bootOrder ??
      (n === 0 && known.size === 0 ? 0 : null),
  }))
  return { portable: { ...machine, disks }, native: nativeParts(vm) }
}

async function* nativeParts(vm: ImageVm): ConfigExport['native'] {
  for (const { name, file } of vm.native) {
    const mediaType = name.endsWith('.json') ? 'application/json' : 'application/octet-stream'
    yield { name, mediaType, bytes: await readFile(file) }
  }
}

export function finding(
  code: string,
  severity: Finding['severity'],
  disk: DiskKey | null,
  message: string,
  hint: string,
): Finding {
  return { code, severity, disk, message, hint }
}
