import { Context } from '@temporalio/activity'
import { HoldfastError } from '../../base/index.ts'
import type { ConfigPart, PointInfo, Repository } from '../../repository/index.ts'
import type { RangeReader } from '../../drivers/index.ts'
import type { Site } from '../shared/deps.ts'
import { beating, operate } from '../shared/operation.ts'
import type { Operation } from '../shared/operation.ts'
import { storeRef } from './change-ref.ts'
import { readSplit } from './source.ts'
import type { BackupActivities, CommitInput, CommittedPoint } from './types.ts'

/** Names of configuration parts in the manifest; a restore looks for them. */
export const portableConfig = 'portable.json'
export const nativePrefix = 'native/'

/** Exports the configuration as of the point and publishes the recovery point; the same point on every retry. */
export async function commitBackup(site: Site, input: CommitInput): Promise<CommittedPoint> {
  const place = { endpoint: input.endpoint, operation: input.pointId, vm: input.vm }
  return operate(site, place, (operation) =>
    site.repository(input.repository, (repository) => commit(input, repository, operation)),
  )
}

async function commit(input: CommitInput, repository: Repository, operation: Operation): Promise<CommittedPoint> {
  const { point, vm, atRest } = input
  const { freezeDurationMs, degraded } = point.quiesce
  const result = await repository.commit({
    session: input.session,
    attempt: input.attemptBase + Context.current().info.attempt,
    results: input.results,
    vm: { id: vm.id, name: vm.name, platform: vm.platform, scope: vm.scope, tags: input.tags },
    point: {
      origin: input.origin,
      ...(input.name !== null && { name: input.name }),
      ...(input.description !== null && { description: input.description }),
      startedMs: input.startedMs,
      run: input.run,
    },
    // rulings 11: the duration of the freeze is kept here; so is what the audit of the next point goes on from.
    consistency: {
      level: point.consistency,
      detail: JSON.stringify({ freezeDurationMs, degraded, atomic: point.atomic, ordinal: input.ordinal, atRest }),
    },
    hypervisor: input.hypervisor,
    disks: input.disks.map(({ id, mode, why }) => {
      const disk = point.disks.find((it) => it.disk.key === id)
      if (disk === undefined) throw new HoldfastError('Internal', `the point has no disk ${id}`)
      const { label, size, sectorSize } = disk.disk
      return { id, label, bytes: size, sectorSize, changeRef: storeRef(disk.next), mode, why }
    }),
    configs: await configParts(operation, input),
    retention: { class: input.retentionClass ?? '', policy: input.origin },
    reread: (disk, at, into) => reread(operation, input, disk, at, into),
    signal: operation.pulse.signal,
    onProgress: (what) => operation.ctx.progress({ what }),
  })
  return {
    stem: result.stem,
    validatedMs: result.validatedMs,
    createdMs: Date.parse(point.createdAt),
    rescued: result.rescued,
    manifestBytes: result.manifestBytes,
    lockUntilMs: result.lockUntilSec * 1000,
  }
}

/** 0 for a point of another program. */
export function ordinalOf({ consistency }: Pick<PointInfo, 'consistency'>): number {
  try {
    const { ordinal } = JSON.parse(consistency.detail) as { readonly ordinal?: unknown }
    return typeof ordinal === 'number' && Number.isSafeInteger(ordinal) && ordinal >= 0 ? ordinal : 0
  } catch {
    return 0
  }
}

async function configParts({ driver, ctx }: Operation, input: CommitInput): Promise<readonly ConfigPart[]> {
  const { portable, native } = await driver.exportConfig(ctx, input.point)
  const parts: ConfigPart[] = [
    { name: portableConfig, type: 'portable', content: Buffer.from(JSON.stringify(portable, null, 2)) },
  ]
  for await (const { name, bytes } of native)
    parts.push({ name: `${nativePrefix}${name}`, type: 'native', content: bytes })
  return parts
}

/** A chunk that garbage collection took in between is read once more while the point is still there. */
async function reread(
  { driver, ctx, pulse }: Operation,
  input: CommitInput,
  disk: string,
  at: number,
  into: Uint8Array,
): Promise<void> {
  const key = input.disks.find(({ id }) => id === disk)?.id
  if (key === undefined) throw new HoldfastError('Internal', `the point has no disk ${disk}`)
  await using reader: RangeReader = await driver.openReader(ctx, input.point, key)
  await readSplit(reader, at, into, pulse.signal)
}

export async function findCommitted(
  site: Site,
  input: Parameters<BackupActivities['findCommitted']>[0],
): Promise<CommittedPoint | null> {
  return beating(site, ({ signal }) =>
    site.repository(input.repository, async (repository) => {
      for await (const entry of repository.listPoints({ series: input.series, signal })) {
        if (entry.snap !== input.pointId) continue
        if (entry.state !== 'recovery-point' || entry.validatedMs === null) return null
        const { stem, validatedMs, createdMs } = entry
        return { stem, validatedMs, createdMs, rescued: 0, manifestBytes: 0 }
      }
      return null
    }),
  )
}
