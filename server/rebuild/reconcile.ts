import { HoldfastError, toHoldfastError } from '../../base/index.ts'
import { platforms, pointOrigins, type Catalog, type NewPoint, type Platform } from '../../catalog/index.ts'
import type { PointEntry, PointInfo, Repository } from '../../repository/index.ts'
import type { Reconciled } from './types.ts'

/** Manifests read at a time. */
const width = 8
const page = 500
/** What stands in for the address of a hypervisor that only a point tells of. */
export const unknownAddress = 'unknown'

type Counts = { -readonly [K in 'added' | 'back' | 'gone' | 'unreadable' | 'foreign' | 'newVms']: number } & {
  readonly newHypervisors: string[]
}

/**
 * Makes the catalog say what a repository really holds: points that it did not know appear with their VM, points that
 * are no longer there are marked. Again: yes. A listing that breaks off marks nothing.
 */
export async function reconcile(
  catalog: Catalog,
  repository: Repository,
  repositoryId: string,
  options: {
    readonly now: () => number
    readonly signal: AbortSignal
    readonly onProgress: (points: number) => void
  },
): Promise<Reconciled> {
  const counts: Counts = { added: 0, back: 0, gone: 0, unreadable: 0, foreign: 0, newVms: 0, newHypervisors: [] }
  const { copies, points, recovery } = catalog
  recovery.beginLook()
  let unknown: PointEntry[] = []
  let seen: string[] = []
  let looked = 0
  const flush = async (): Promise<void> => {
    const infos = await Promise.all(unknown.map((entry) => read(repository, entry)))
    catalog.transaction(() => {
      for (const info of infos) record(catalog, repositoryId, info, counts)
      recovery.saw(seen)
    })
    unknown = []
    seen = []
    options.onProgress(looked)
  }
  for await (const entry of repository.listPoints({ signal: options.signal, unreadable: 'show' })) {
    looked += 1
    const stands = entry.state === 'recovery-point' || (entry.state === 'held' && entry.validatedMs !== null)
    if (entry.state === 'unreadable') counts.unreadable += 1
    else if (!stands) continue
    const known = copies.at(repositoryId, entry.stem)
    if (known !== undefined) seen.push(known.pointId)
    if (known?.state !== 'done') {
      if (stands) unknown.push(entry)
    } else if (stands && known.goneMs !== null && entry.validatedMs !== null) {
      points.recordFound(known.pointId, entry.validatedMs, repositoryId)
      counts.back += 1
    }
    if (unknown.length >= width || seen.length >= page) await flush()
  }
  await flush()
  // Only a listing that came to its end says that something is gone.
  for (let ids = recovery.unseen(repositoryId, page); ids.length > 0; ids = recovery.unseen(repositoryId, page)) {
    catalog.transaction(() => ids.forEach((id) => points.recordGone(id, options.now(), repositoryId)))
    counts.gone += ids.length
  }
  return { repositoryId, location: repository.location, ...counts }
}

async function read(repository: Repository, entry: PointEntry): Promise<PointInfo | null> {
  try {
    await using point = await repository.openPoint(entry.stem)
    return point.info
  } catch (error) {
    // A store that does not answer ends the look; a manifest that cannot be understood is one point.
    const { code } = toHoldfastError(error)
    if (code.startsWith('Store')) throw error
    return null
  }
}

function record(catalog: Catalog, repositoryId: string, info: PointInfo | null, counts: Counts): void {
  if (info === null) {
    counts.unreadable += 1
    return
  }
  // A catalog or an audit export is no point of a VM.
  if (info.disks.length === 0) return
  const platform = platforms.find((one) => one === info.vm.platform)
  const origin = pointOrigins.find((one) => one === info.point.origin)
  if (platform === undefined || origin === undefined) {
    counts.foreign += 1
    return
  }
  const id = pointIdOf(catalog, info)
  const { stem, validatedMs, mirroredFrom, retention } = info
  const sourceId = mirroredFrom === null ? null : catalog.repositories.byUuid(mirroredFrom.repo)
  if (catalog.points.find(id) === undefined) {
    const vmId = vmOf(catalog, platform, info, counts)
    catalog.points.record({ ...pointOf(info, origin, vmId, repositoryId), id, sourceId })
  }
  if (validatedMs !== null) {
    const lockUntilMs = retention.lockUntilSec * 1000
    catalog.copies.found({ pointId: id, repositoryId, stem, sourceId, validatedMs, lockUntilMs })
  }
  catalog.recovery.saw([id])
  counts.added += 1
}

/** A copy is of the point that it was made from; one whose origin nobody knows stands for it. */
function pointIdOf(catalog: Catalog, { snap, stem, mirroredFrom }: PointInfo): string {
  if (mirroredFrom === null || catalog.points.find(snap) !== undefined) return snap
  return catalog.copies.pointIdOf(`${stem.slice(0, -32)}${mirroredFrom.snap}`)
}

/** The VM that the point is of, made where nobody knows it: the next discovery finds it by its identity. */
function vmOf(catalog: Catalog, platform: Platform, { vm, disks, retention }: PointInfo, counts: Counts): string {
  const endpointId = catalog.recovery.endpointOf(platform, vm.scope) ?? newEndpoint(catalog, platform, vm.scope, counts)
  const known = catalog.vms.findByRef(endpointId, vm.scope, vm.id)
  if (known) return known.id
  const seen = disks.map(({ id, label, bytes }) => ({
    key: id,
    label,
    size: bytes,
    format: 'unknown',
    role: 'data' as const,
    skip: null,
  }))
  catalog.vms.recordDiscovered(endpointId, 'rebuild', [
    {
      vm: { scope: vm.scope, id: vm.id, name: vm.name },
      power: 'unknown',
      tags: vm.tags,
      disks: seen,
      guest: { agent: 'unknown', os: null },
      foreignSnapshots: 0,
      owner: null,
      findings: [],
    },
  ])
  counts.newVms += 1
  const made = catalog.vms.findByRef(endpointId, vm.scope, vm.id)
  if (!made) throw new HoldfastError('Internal', `${vm.name} was recorded and is not in the catalog`)
  // Its newest point comes first. A VM that fell back to the usual category would lose what a better one keeps.
  const category = catalog.categories.find(retention.class)?.name
  if (category !== undefined) catalog.vms.change(made.id, { category })
  return made.id
}

function newEndpoint(catalog: Catalog, platform: Platform, scope: string, counts: Counts): string {
  const taken = (name: string): boolean => [...catalog.endpoints.all()].some((one) => one.name === name)
  const short = `${platform}-${scope.slice(0, 8)}`
  const name = taken(short) ? `${platform}-${scope}`.slice(0, 120) : short
  const options = platform === 'qemu' || platform === 'image' ? { scope } : {}
  const { id } = catalog.endpoints.add({
    name,
    platform,
    address: unknownAddress,
    site: 'local',
    credentialRef: '',
    options,
  })
  counts.newHypervisors.push(id)
  return id
}

function pointOf(info: PointInfo, origin: NewPoint['origin'], vmId: string, repositoryId: string): NewPoint {
  return {
    id: info.snap,
    stem: info.stem,
    vmId,
    repositoryId,
    parentId: info.parentSnap,
    createdMs: info.createdMs,
    validatedMs: info.validatedMs,
    origin,
    name: info.point.name ?? null,
    description: info.point.description ?? null,
    consistency: info.consistency.level,
    ...restIn(info.consistency.detail),
    disks: info.disks.map(({ id, label, bytes, mode, why, readBytes, newBytes }) => ({
      disk: id,
      label,
      size: bytes,
      mode,
      why,
      readBytes,
      newBytes,
      bytesResumed: 0,
      attempts: 1,
    })),
    spotCheckedChunks: 0,
    manifestBytes: null,
    refs: [],
    workflowId: null,
    runId: null,
  }
}

/** What the backup wrote down beside the level of consistency; of a point of another program nothing. */
function restIn(detail: string): Pick<NewPoint, 'freezeDurationMs' | 'atRest'> {
  try {
    const { freezeDurationMs, atRest } = JSON.parse(detail) as { [name: string]: unknown }
    return {
      freezeDurationMs: typeof freezeDurationMs === 'number' && freezeDurationMs >= 0 ? freezeDurationMs : null,
      atRest: atRest === 'shut-down' || atRest === 'off' ? atRest : null,
    }
  } catch {
    return { freezeDurationMs: null, atRest: null }
  }
}
