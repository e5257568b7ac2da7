import { HoldfastError, millis } from '../../base/index.ts'
import type {
  DiskRequest,
  HypervisorDriver,
  MustFullReason,
  NativeConfig,
  OpContext,
  PointInTime,
  PortableVm,
  StandbyTarget,
  StandbyView,
} from '../../drivers/index.ts'
import { allDisks, leftOut, mostLinks } from '../../policy/index.ts'
import type { Site } from '../shared/deps.ts'
import { operate, type Operation } from '../shared/operation.ts'
import type { OpenSourceInput, Sink } from './types.ts'

export function standbyOf(driver: HypervisorDriver): StandbyTarget {
  if (driver.standby !== null) return driver.standby
  throw new HoldfastError(
    'Unsupported',
    `the ${driver.endpoint.platform} driver keeps no standbys at ${driver.endpoint.address}`,
  )
}

/** The sink says what changes may build on; the driver has the last word about its own tracker. */
export async function openSource(site: Site, input: OpenSourceInput): Promise<PointInTime> {
  const { endpoint, vm, pointId, tracker, sink } = input
  const since = sink.kind === 'standby' && !input.full ? await headOf(site, sink) : null
  return operate(site, { endpoint, operation: pointId, vm }, async ({ driver, ctx }) => {
    await site.standing.remember(endpoint)
    const disks = await wanted(driver, ctx, input)
    if (disks.length === 0) throw new HoldfastError('Unsupported', `${vm.name} has no disk that can be replicated`)
    return driver.openPoint(ctx, vm, {
      pointId,
      tracker,
      want: input.want,
      onQuiesceFailure: 'degrade',
      freezeLimit: millis(input.freezeLimitMs),
      audit: false,
      hooks: [],
      disks: disks.map(({ key }): DiskRequest => {
        const known = input.since?.disks.find((one) => one.disk.key === key)?.next
        const ref = known ?? since?.head?.disks.find((one) => one.key === key)?.ref ?? null
        const full = input.full ? 'asked-by-operator' : known ? null : whyFull(since)
        return { disk: key, since: full === null ? ref : null, full: full ?? (ref === null ? 'no-parent' : null) }
      }),
    })
  })
}

async function headOf(site: Site, sink: Sink): Promise<StandbyView | null> {
  return operate(site, sink, ({ driver, ctx }) => standbyOf(driver).inspect(ctx))
}

function whyFull(view: StandbyView | null): MustFullReason | null {
  if (view === null || view.head === null) return 'no-parent'
  if (view.isTouched) return 'reverted'
  return view.head.links >= mostLinks ? 'full-interval' : null
}

async function wanted(driver: HypervisorDriver, ctx: OpContext, { vm, endpoint }: OpenSourceInput) {
  for await (const facts of driver.discover(ctx, [vm.id])) {
    if (facts.vm.id !== vm.id) continue
    return facts.disks.filter((disk) => disk.skip === null && leftOut(allDisks, disk) === null)
  }
  throw new HoldfastError('NotFound', `${vm.name} (${vm.id}) is not at ${endpoint.address} any more`)
}

/** Configuration of the source as of the point, with its native parts. */
export async function configOf(
  { driver, ctx }: Operation,
  point: PointInTime,
): Promise<{ readonly portable: PortableVm; readonly native: readonly NativeConfig[] }> {
  const { portable, native } = await driver.exportConfig(ctx, point)
  const parts: NativeConfig[] = []
  for await (const { name, bytes } of native) parts.push({ name, bytes })
  return { portable, native: parts }
}
