import { randomBytes } from 'node:crypto'
import type { z } from '@hono/zod-openapi'
import { formatBytes, HoldfastError, shellWord } from '../../base/index.ts'
import { isStanding, type Catalog, type PointView, type VmView } from '../../catalog/index.ts'
import { standingStill } from '../../policy/index.ts'
import type { CheckRestoreInput } from '../../workflows/inventory/contract.ts'
import {
  requestIdOf,
  restoreInPlaceWorkflowId,
  restoreWorkflow,
  restoreWorkflowId,
  type RestoreInput,
} from '../../workflows/restore/contract.ts'
import type { restoreBody } from '../schemas/actions.ts'
import type { NamesThere } from '../../workflows/shared/contract.ts'
import type { StartPlan } from './start.ts'
import { endpointOf, namesAt, repositoryRefOf, requireOneSite, tuningOf, vmTargetOf } from './targets.ts'

export type RestoreWish = z.infer<typeof restoreBody>
export type RestoreTarget = CheckRestoreInput['target']

/** A random id: nobody else's request can be meant by it. */
export function newRequestId(): string {
  return randomBytes(16).toString('hex')
}

export interface RestoreParts {
  readonly point: PointView
  readonly vm: VmView
  readonly repository: CheckRestoreInput['repository']
  readonly target: RestoreTarget
  readonly where: string
  /** At the site of the target; nothing for a VM in its original place. */
  readonly names: NamesThere
}

/** Finds what the wish names; throws NotFound, PointNotRestorable, Unsupported or InvalidRequest. */
export function restoreParts(catalog: Catalog, wish: RestoreWish): RestoreParts {
  const point = copyToRead(catalog, wish)
  checkDisks(point, wish)
  const repository = catalog.repositories.get(point.repositoryId)
  const vm = catalog.vms.get(point.vmId)
  const repositoryRef = repositoryRefOf(repository)
  if (wish.target.kind === 'new') {
    const endpoint = catalog.endpoints.get(wish.target.hypervisorId)
    requireOneSite(endpoint.name, endpoint.site, repository)
    const target = { kind: 'new', endpoint: endpointOf(endpoint), site: endpoint.site, name: wish.target.name } as const
    const names = namesAt(catalog, vm, endpoint.site)
    return { point, vm, repository: repositoryRef, target, where: endpoint.name, names }
  }
  const target = vmTargetOf(catalog, vm)
  requireOneSite(vm.name, target.site, repository)
  return {
    point,
    vm,
    repository: repositoryRef,
    target: { kind: 'original', vm: target },
    where: vm.endpointName,
    names: {},
  }
}

function checkDisks(point: PointView, { disks, target }: RestoreWish): void {
  if (disks === undefined) return
  const unknown = disks.find((key) => !point.disks.some(({ disk }) => disk === key))
  if (unknown !== undefined)
    throw new HoldfastError('InvalidRequest', `the point has no disk ${unknown}`, {
      hint: `It has ${point.disks.map(({ disk }) => disk).join(', ')}.`,
    })
  if (disks.length === 0 && target.kind === 'original')
    throw new HoldfastError('InvalidRequest', 'nothing would be restored: no disk is named', {
      hint: 'Name a disk, or restore the configuration alone as a new VM.',
    })
}

/** The point as the repository holds it that was named, or as its best copy is. */
function copyToRead(catalog: Catalog, { pointId, repositoryId }: RestoreWish): PointView {
  const point = catalog.points.get(pointId)
  if (repositoryId === undefined) {
    if (point.validatedMs !== null) return point
    throw new HoldfastError('PointNotRestorable', `the point ${point.id} is not validated`)
  }
  const { name } = catalog.repositories.get(repositoryId)
  const copy = catalog.copies.find(pointId, repositoryId)
  if (copy !== undefined && isStanding(copy) && copy.stem !== null)
    return { ...point, repositoryId, repositoryName: name, stem: copy.stem, validatedMs: copy.validatedMs }
  const others = catalog.copies.of(pointId).filter(isStanding)
  throw new HoldfastError('PointNotRestorable', `${name} holds no copy of this point that can be restored`, {
    hint:
      others.length === 0
        ? 'No repository does: choose another point.'
        : `Restore it from ${others.map((other) => other.repositoryName).join(' or ')}.`,
  })
}

export function planRestore(catalog: Catalog, wish: RestoreWish, user: string): StartPlan {
  const { point, vm, repository, target, where, names } = restoreParts(catalog, wish)
  if (wish.target.kind === 'original' && wish.target.confirmName !== vm.name) {
    throw new HoldfastError('InvalidRequest', `restoring over ${vm.name} needs its name as confirmation`, {
      hint: `Give confirmName "${vm.name}".`,
    })
  }
  if (target.kind === 'original') requireAtSource(catalog, vm)
  const requestedBy = { user, reason: wish.reason }
  const name = target.kind === 'new' ? target.name : vm.name
  return {
    workflowId: (target.kind === 'new' ? restoreWorkflowId : restoreInPlaceWorkflowId)(newRequestId()),
    memo: { title: `Restore of ${vm.name}`, vmId: vm.id, repositoryId: repository.id, pointId: point.id, requestedBy },
    spec: (workflowId) => ({
      workflow: restoreWorkflow,
      input: {
        v: 1,
        requestId: requestIdOf(workflowId),
        repository,
        stem: point.stem,
        target: target.kind === 'new' ? target : { ...target, confirmName: vm.name },
        ...(wish.disks !== undefined && { disks: wish.disks }),
        ...names,
        identity: wish.identity,
        powerOn: wish.powerOn ?? null,
        requestedBy,
        tuning: tuningOf(wish.tuning),
      } satisfies RestoreInput,
      summary: `Restore of ${vm.name} to ${name} on ${where}`,
      search: { vm: vm.id, repository: repository.id, site: repository.site },
      priority: 1,
    }),
  }
}

/** Throws ReplicationRefused while its guest is, or may be, at a standby: what a restore in place starts would run beside it. */
export function requireAtSource(catalog: Catalog, { id, name }: Pick<VmView, 'id' | 'name'>): void {
  const why = standingStill(catalog.replications.list().filter(({ vmId }) => vmId === id))
  if (why === null) return
  throw new HoldfastError('ReplicationRefused', `${name} is not restored in place: ${why}`, {
    hint: 'Restore it as a new VM. To restore it in place, fail back first, or accept that the standby stays.',
  })
}

export interface Consequences {
  readonly does: string[]
  readonly doesNotTouch: string[]
  readonly undo: string
  readonly command: string
}

/** What will happen, in words for the last page before the click. `dataBytes`: what will be written, if known. */
export function consequences(parts: RestoreParts, wish: RestoreWish, dataBytes: number | null): Consequences {
  const { point, vm, target, where } = parts
  const chosen = point.disks.filter(({ disk }) => wish.disks === undefined || wish.disks.includes(disk))
  const isPart = wish.disks !== undefined
  const names = chosen.map(({ disk }) => disk).join(', ')
  const most = chosen.reduce((sum, { size }) => sum + size, 0)
  const writes = `writes ${dataBytes === null ? `up to ${formatBytes(most)}` : formatBytes(dataBytes)} to ${where}`
  const asBefore = wish.powerOn === undefined && target.kind === 'original'
  const power = asBefore ? 'starts it again if it runs now' : wish.powerOn ? 'starts it' : 'leaves it powered off'
  const from = wish.repositoryId === undefined ? '' : ` --repository ${shellWord(wish.repositoryId)}`
  const only =
    chosen.length === 0 ? ' --no-disks' : isPart ? ` --disk ${chosen.map(({ disk }) => shellWord(disk)).join(' ')}` : ''
  const base = `holdfast restore ${shellWord(vm.id)} --point ${shellWord(point.id)}${from}${only}`
  const start = wish.powerOn ? ' --start' : wish.powerOn === false && target.kind === 'original' ? ' --no-start' : ''
  if (target.kind === 'new') {
    const identity =
      wish.identity === 'new' ? 'gives it new network addresses' : 'keeps the network addresses of the original'
    return {
      does: [
        `creates ${target.name} on ${where}`,
        chosen.length === 0
          ? 'gives it the configuration of the point, and no disk'
          : isPart
            ? `${writes}: ${names}, of ${point.disks.length} ${point.disks.length === 1 ? 'disk' : 'disks'}`
            : writes,
        identity,
        power,
      ],
      doesNotTouch: [`${vm.name}, its disks and its network`, 'any recovery point'],
      undo: 'Yes, all of it. Cancel at any step and the new VM and its disks are removed.',
      command: `${base} --to ${shellWord(target.endpoint.id)} --name ${shellWord(target.name)}${wish.identity === 'same' ? ' --same-identity' : ''}${start}`,
    }
  }
  return {
    does: [
      `takes a safety point of ${vm.name} first`,
      `stops ${vm.name}`,
      writes,
      isPart ? `puts ${names} in the place of what is there` : 'puts the restored disks in the place of the old ones',
      power,
    ],
    doesNotTouch: [
      ...(isPart ? [restOf(vm, wish)] : []),
      'the old disks: they are kept, tagged, until you remove them',
      'any recovery point',
    ],
    undo: 'Until the disks are swapped, by cancelling. Afterwards by restoring the safety point.',
    command: `${base} --in-place --confirm ${shellWord(vm.name)}${start}`,
  }
}

/** What of the VM stays as it is where single disks are put back. */
function restOf({ name, disks }: VmView, wish: RestoreWish): string {
  const others = disks.filter(({ key }) => wish.disks?.includes(key) === false).map(({ key }) => key)
  return `the configuration and networks of ${name}${others.length === 0 ? '' : `, and its ${others.length === 1 ? 'disk' : 'disks'} ${others.join(', ')}`}`
}
