/**
 * Instant restore on a site: serves points of repositories as block devices to VMs of this machine, and boots, attends and
 * migrates those VMs. What is served outlives the process (see `serving.ts`).
 */
import { Context } from '@temporalio/activity'
import { HoldfastError, bytes, millis } from '../../base/index.ts'
import type { HypervisorDriver, InstantBoot, NbdExport, OpContext } from '../../drivers/index.ts'
import { readNative, readPortable, targetSpec } from '../restore/portable.ts'
import type { Site } from '../shared/deps.ts'
import { beating, operate } from '../shared/operation.ts'
import { holdServed, releaseServed } from './hold.ts'
import type { ServedRecord } from './records.ts'
import type { BootReads, InstantActivities, InstantBeat, InstantTarget, ServedPoint } from './types.ts'

export type * from './types.ts'

/** The guest's requests wait so long for a worker that died; then its VM stops, and goes on when it is attended again. */
const reconnectMs = millis(15 * 60_000)
const lookEveryMs = 2_000

export function createInstantActivities(site: Site): InstantActivities {
  return {
    serveDisks: (input) =>
      beating(site, async ({ signal }) => {
        const { disks } = await serve(site, input, signal, input.boot ?? null)
        return { socket: site.serving.socket(input.operation), disks }
      }),
    bootInstant: (input) =>
      operate(site, input, ({ driver, ctx }) =>
        site.repository(input.repository, async (repository) => {
          const { disks } = await serve(site, input, ctx.signal)
          await using point = await repository.openPoint(input.stem)
          const spec = targetSpec(point, await readPortable(point), input.place, driver.endpoint.platform)
          const native = spec.nativeConfigRef === null ? null : await readNative(point)
          const net = input.place.isolated ? ({ kind: 'restricted', name: 'instant' } as const) : null
          const exports = exportsOf(site.serving.socket(input.operation), disks)
          return instantOf(driver).boot(ctx, spec, native, exports, net, reconnectMs)
        }),
      ),
    readsOfBoot: ({ operation }) => Promise.resolve(site.serving.reads(operation)),
    attendInstant: async (input) => {
      let beat: InstantBeat | null = null
      const details = { details: () => beat ?? { v: 1, what: 'looking at the VM' } }
      await operate(
        site,
        input,
        async ({ driver, ctx, pulse }) => {
          const untilMs = site.now() + input.forMs
          while (site.now() < untilMs) {
            const { power, ...guest } = await attendFirst(site, driver, ctx, input)
            const fetchedBytes = site.serving.figures(input.operation)?.fetchedBytes ?? null
            beat = { v: 1, power, ...guest, fetchedBytes }
            pulse.moved()
            await Context.current().sleep(lookEveryMs)
          }
        },
        details,
      )
    },
    migrateInstant: (input) =>
      operate(site, input, async ({ driver, ctx }) => {
        await attendFirst(site, driver, ctx, input)
        return instantOf(driver).migrate(ctx, input.target)
      }),
    endServing: ({ operation }) =>
      beating(site, async ({ signal }) => {
        await site.serving.end(operation)
        await releaseServed(site, operation, signal)
      }),
  }
}

/** An attempt that comes late finds no VM of its own, and must not serve again what was ended. */
async function attendFirst(
  site: Site,
  driver: HypervisorDriver,
  ctx: OpContext,
  input: InstantTarget,
): ReturnType<InstantBoot['attend']> {
  const guest = await instantOf(driver).attend(ctx, input.target)
  await serve(site, input, ctx.signal)
  return guest
}

/** A record that is there is believed: after a restart of the worker the repository need not be asked. */
async function serve(
  site: Site,
  point: ServedPoint,
  signal: AbortSignal,
  boot: BootReads | null = null,
): Promise<ServedRecord> {
  const { operation, repository, stem } = point
  const known = await site.serving.record(operation)
  if (known === undefined) await holdServed(site, point, signal)
  const record = known ?? {
    v: 1,
    operation,
    repository,
    stem,
    disks: await site.repository(repository, async (opened) => {
      await using open = await opened.openPoint(stem)
      return open.info.disks.map(({ id, bytes: size }) => ({ key: id, size }))
    }),
  }
  await site.serving.serve(record, boot)
  return record
}

function exportsOf(socket: string, disks: ServedRecord['disks']): { readonly [disk: string]: NbdExport } {
  return Object.fromEntries(
    disks.map(({ key, size }) => [
      key,
      { transport: 'unix', address: socket, name: key, size: bytes(size), tlsRef: null } as const,
    ]),
  )
}

function instantOf(driver: HypervisorDriver): InstantBoot {
  if (driver.instant !== null) return driver.instant
  throw new HoldfastError(
    'Unsupported',
    `the ${driver.endpoint.platform} driver cannot boot a VM from what is served to it`,
  )
}
