import { describeError, formatBytes, formatInstant, toHoldfastError } from '../../base/index.ts'
import type { Finding, PointId, PortableVm } from '../../drivers/index.ts'
import type { OpenPoint, Repository } from '../../repository/index.ts'
import type { CheckRestoreInput, CheckRestoreResult } from '../../workflows/inventory/contract.ts'
import type { Site } from '../shared/deps.ts'
import { lookOperation, operate } from '../shared/operation.ts'
import { examine } from '../restore/plan.ts'
import { isWanted, readPortable, storageAt } from '../restore/portable.ts'
import type { RestorePlace } from '../restore/types.ts'

/** For counting what will be written, and again for reading samples of it: somebody waits. */
const lookingMs = 5_000
const mostSamples = 16

type Passed = CheckRestoreResult['passed'][number]
type Disks = OpenPoint['info']['disks']

/** Whether a point can go where it is wanted, as far as that can be told without writing anything. Changes nothing. */
export async function inspectRestore(site: Site, input: CheckRestoreInput): Promise<CheckRestoreResult> {
  const { target } = input
  const endpoint = target.kind === 'new' ? target.endpoint : target.vm.endpoint
  const place = placeOf(input)
  return operate(site, { endpoint, operation: lookOperation }, ({ driver, ctx, pulse: { signal } }) =>
    site.repository(input.repository, async (repository: Repository) => {
      await using point = await repository.openPoint(input.stem)
      const { findings } = await examine(driver, ctx, point, place)
      const disks = point.info.disks.filter(({ id }) => isWanted(place, id))
      const logicalBytes = disks.reduce((sum, disk) => sum + disk.bytes, 0)
      const { dataBytes, samples } = await lookInto(site, point, disks, signal)
      const readable = await readBack(site, point, samples, signal)
      const passed = [
        {
          title: 'The point can be restored',
          detail: `${disks.length} ${disks.length === 1 ? 'disk' : 'disks'}, validated, taken ${formatInstant(point.info.createdMs)}`,
        },
        ...readable.passed,
        ...targetPassed(findings, input, logicalBytes),
        ...namesPassed(place, await readPortable(point)),
      ]
      return { v: 1, findings: [...findings, ...readable.findings], passed, logicalBytes, dataBytes, error: null }
    }),
  )
}

function placeOf({ target, identity, disks, networks, storages }: CheckRestoreInput): RestorePlace {
  const part = {
    ...(disks !== undefined && { disks }),
    ...(networks !== undefined && { networks }),
    ...(storages !== undefined && { storages }),
  }
  if (target.kind === 'new') return { identity, isolated: false, ...part, place: { kind: 'new', name: target.name } }
  const { ref: vm } = target.vm
  return {
    ...{ identity, isolated: false, ...part },
    place: {
      ...{ kind: 'replace', vm, safetyPoint: lookOperation as PointId },
      ...(disks !== undefined && { keepsRest: true }),
    },
  }
}

/** What the target's driver looks at, and found nothing to say about. */
function targetPassed(findings: readonly Finding[], { target }: CheckRestoreInput, logicalBytes: number): Passed[] {
  const said = new Set(findings.map(({ code }) => code))
  const own = new Set(['space', 'name', 'identity'])
  const passed: Passed[] = []
  if (!said.has('space')) passed.push({ title: 'Space', detail: `there is room for ${formatBytes(logicalBytes)}` })
  if (target.kind === 'new' && !said.has('name') && !said.has('identity'))
    passed.push({ title: 'Name and identity', detail: `${target.name} is free` })
  if (findings.every(({ code }) => own.has(code)))
    passed.push({ title: 'Machine', detail: 'firmware, buses, cards and networks are there as they were' })
  return passed
}

/** What the mapping between the sites makes of this machine; nothing where nobody has said anything. */
export function namesPassed(place: RestorePlace, vm: PortableVm): Passed[] {
  const { networks = {} } = place
  const lines = new Set<string>()
  for (const { network } of vm.nics) {
    const to = networks[network]
    if (to !== undefined) lines.add(`network ${network} ${to === null ? 'is not connected' : `is ${to}`} there`)
  }
  for (const { key, storage } of vm.disks) {
    if (place.place.kind === 'replace' || !isWanted(place, key)) continue
    const to = storageAt(place, storage)
    if (to !== '') lines.add(`disk ${key}${storage === undefined ? '' : ` of ${storage}`} goes to ${to}`)
  }
  return lines.size === 0 ? [] : [{ title: 'Names at the other site', detail: [...lines].join(', ') }]
}

interface Sample {
  readonly disk: string
  readonly offset: number
}

/**
 * What will be written, null if counting takes longer than somebody wants to wait, and places in it, each byte as likely as
 * any other that was counted.
 */
async function lookInto(
  site: Site,
  point: OpenPoint,
  disks: Disks,
  signal: AbortSignal,
): Promise<{ readonly dataBytes: number | null; readonly samples: readonly Sample[] }> {
  const deadline = site.now() + lookingMs
  const samples: Sample[] = []
  let data = 0
  for (const { id, bytes } of disks) {
    for await (const run of point.disk(id).runs(0, bytes)) {
      signal.throwIfAborted()
      if (run.kind === 'data') {
        data += run.length
        for (let slot = 0; slot < mostSamples; slot += 1) {
          const at = Math.floor(Math.random() * data)
          if (at < run.length) samples[slot] = { disk: id, offset: run.offset + at }
        }
      }
      if (site.now() > deadline) return { dataBytes: null, samples }
    }
  }
  return { dataBytes: data, samples }
}

/** A store that lists everything and returns nothing, or something else, is found before a restore begins. */
async function readBack(
  site: Site,
  point: OpenPoint,
  samples: readonly Sample[],
  signal: AbortSignal,
): Promise<{ readonly passed: Passed[]; readonly findings: Finding[] }> {
  if (samples.length === 0) return { passed: [], findings: [] }
  const deadline = site.now() + lookingMs
  let read = 0
  try {
    for (const { disk, offset } of samples) {
      await point.disk(disk).read(offset, new Uint8Array(1), signal)
      read += 1
      if (site.now() > deadline) break
    }
  } catch (error) {
    signal.throwIfAborted()
    const { code, message, hint } = toHoldfastError(error)
    site.log.warn({ point: point.info.stem, error: describeError(error) }, 'a point could not be read back')
    return { passed: [], findings: [{ code, severity: 'blocking', disk: null, message, hint }] }
  }
  const title = 'Readable'
  if (read === samples.length)
    return { passed: [{ title, detail: `${read} chunks taken at random were read back and hashed` }], findings: [] }
  const message = `only ${read} of ${samples.length} chunks could be read back within ${lookingMs / 1000} s`
  const hint = 'The restore reads at this pace. Another copy of the point may be nearer.'
  return { passed: [], findings: [{ code: 'slow', severity: 'warning', disk: null, message, hint }] }
}
