import { HoldfastError } from '../../base/index.ts'
import type {
  DiskKey,
  Finding,
  PointId,
  RestoreTarget,
  HypervisorDriver,
  OpContext,
  TargetVm,
} from '../../drivers/index.ts'
import type { OpenPoint } from '../../repository/index.ts'
import { refuseIfBlocked } from '../backup/preflight.ts'
import type { Site } from '../shared/deps.ts'
import { operate } from '../shared/operation.ts'
import { isWanted, readNative, readPortable, targetSpec } from './portable.ts'
import type { CreateTargetInput, PlanRestoreInput, RestorePlan } from './types.ts'

export function targetOf(driver: HypervisorDriver): RestoreTarget {
  if (driver.target !== null) return driver.target
  throw new HoldfastError(
    'Unsupported',
    `the ${driver.endpoint.platform} driver cannot restore to ${driver.endpoint.address}`,
  )
}

/** What the point holds and what the target says about taking it. */
export async function examine(
  driver: HypervisorDriver,
  ctx: OpContext,
  point: OpenPoint,
  place: PlanRestoreInput['place'],
): Promise<{ readonly findings: readonly Finding[]; readonly firmware: string }> {
  const vm = await readPortable(point)
  const described = new Set<string>(vm.disks.map(({ key }) => key))
  const absent = place.disks?.find((key) => !point.info.disks.some(({ id }) => id === key))
  if (absent !== undefined)
    throw new HoldfastError('InvalidRequest', `the point has no disk ${absent}`, {
      hint: `It has ${point.info.disks.map(({ id }) => id).join(', ')}.`,
    })
  const missing = point.info.disks.find(({ id }) => !described.has(id))
  if (missing !== undefined) {
    throw new HoldfastError('FormatError', `disk ${missing.id} of ${point.info.stem} is not in its configuration`)
  }
  const { findings } = await targetOf(driver).check(ctx, targetSpec(point, vm, place, driver.endpoint.platform))
  return { findings, firmware: vm.firmware }
}

export async function planRestore(site: Site, input: PlanRestoreInput): Promise<RestorePlan> {
  return operate(site, input, ({ driver, ctx }) =>
    site.repository(input.repository, async (repository) => {
      await using point = await repository.openPoint(input.stem)
      const { findings, firmware } = await examine(driver, ctx, point, input.place)
      refuseIfBlocked(input.place.place.kind === 'new' ? input.place.place.name : input.place.place.vm.name, findings)
      const { vm, createdMs, snap, disks } = point.info
      return {
        vmName: vm.name,
        platform: vm.platform,
        createdMs,
        pointId: snap as PointId,
        firmware,
        disks: disks
          .filter(({ id }) => isWanted(input.place, id))
          .map(({ id, label, bytes, imageRoot }) => ({ key: id as DiskKey, label, size: bytes, imageRoot })),
        warnings: findings.filter(({ severity }) => severity === 'warning').slice(0, 20),
      }
    }),
  )
}

export async function createTarget(site: Site, input: CreateTargetInput): Promise<TargetVm> {
  return operate(site, input, ({ driver, ctx }) =>
    site.repository(input.repository, async (repository) => {
      await using point = await repository.openPoint(input.stem)
      const { platform } = driver.endpoint
      const spec = targetSpec(point, await readPortable(point), input.place, platform)
      const native = spec.nativeConfigRef === null ? null : await readNative(point)
      const target = await targetOf(driver).create(ctx, spec, native)
      for (const { id, bytes } of point.info.disks.filter((disk) => isWanted(input.place, disk.id))) {
        const made = target.disks.find(({ key }) => key === id)
        if (made?.size !== bytes) {
          throw new HoldfastError(
            'SizeMismatch',
            `disk ${id} has ${bytes} bytes, the target made ${made?.size ?? 'none'}`,
          )
        }
      }
      return target
    }),
  )
}
