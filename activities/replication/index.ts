/**
 * Replication at the sites: a point of the source is read and written into the standby. Steps that write run at the site of
 * the standby, whose worker must reach both; steps that start the standby need the source not at all.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, bytes, instant, millis } from '../../base/index.ts'
import type { StandbyHead, StandbyView, TargetSpec } from '../../drivers/index.ts'
import { targetOf } from '../restore/plan.ts'
import type { Site } from '../shared/deps.ts'
import { operate, restoreKeyOwner } from '../shared/operation.ts'
import { replicateDisk } from './copy.ts'
import { configOf, openSource, standbyOf } from './source.ts'
import type { ReplicatedState, ReplicationActivities, Sink, StandbyAt } from './types.ts'

export type * from './types.ts'

export function createReplicationActivities(site: Site): ReplicationActivities {
  const keyOf = ({ endpoint, operation }: StandbyAt) => site.opKey(restoreKeyOwner(endpoint), operation)
  return {
    inspectStandby: (of) => operate(site, of, ({ driver, ctx }) => standbyOf(driver).inspect(ctx)),
    openSource: (input) => openSource(site, input),
    beginState: (input) => beginState(site, input),
    replicateDisk: (input) => replicateDisk(site, input),
    publishState: ({ standby, point }) =>
      operate(site, standby, async ({ driver, ctx }) => {
        const refs = point.disks.map(({ disk, next }) => ({ disk: disk.key, ref: next }))
        const { head, storedBytes } = await standbyOf(driver).publish(ctx, point.id, point.createdAt, refs)
        const view = await standbyOf(driver).inspect(ctx)
        if (view === null) throw new HoldfastError('NotFound', 'the standby is gone')
        return stateOf(view, head, storedBytes)
      }),
    takeOver: (input) => operate(site, input, ({ driver, ctx }) => standbyOf(driver).takeOver(ctx, input.takeover)),
    withdrawTakeover: (input) =>
      operate(site, input, ({ driver, ctx }) => standbyOf(driver).withdraw(ctx, input.takeover)),
    adoptStandby: (input) =>
      operate(site, input, async ({ driver, ctx }) => {
        const view = await standbyOf(driver).adopt(ctx, input.state, instant(input.atMs))
        return view.head && stateOf(view, view.head, view.storedBytes)
      }),
    releaseStandby: (input) => operate(site, input, ({ driver, ctx }) => standbyOf(driver).release(ctx)),
    removeStandby: (input) => operate(site, input, ({ driver, ctx }) => standbyOf(driver).remove(ctx)),
    testStandby: ({ endpoint, operation, test, name, limitMs }) =>
      operate(site, { endpoint, operation: test }, async ({ driver, ctx }) => {
        const begun = site.now()
        const net = { kind: 'restricted', name: 'test' } as const
        const { vm } = await standbyOf(driver).test(ctx, keyOf({ endpoint, operation }), name, net)
        while (site.now() - begun < limitMs) {
          const answer = await driver.guest?.ping(ctx, vm)
          if (answer === 'up') return { answered: true, bootMs: site.now() - begun }
          if (answer === undefined) break
          await sleep(500, undefined, { signal: ctx.signal })
        }
        return { answered: false, bootMs: site.now() - begun }
      }),
    endStandbyTest: ({ endpoint, operation, test }) =>
      operate(site, { endpoint, operation: test }, ({ driver, ctx }) =>
        standbyOf(driver).endTest(ctx, keyOf({ endpoint, operation })),
      ),
    fenceSource: ({ endpoint, vm }) =>
      operate(site, { endpoint, operation: '0'.repeat(32), vm }, ({ driver, ctx }) =>
        driver.power(ctx, vm, 'off', millis(20_000)),
      ),
  }
}

function stateOf({ vm }: StandbyView, { state, at, links }: StandbyHead, storedBytes: number): ReplicatedState {
  return { pointId: state, atMs: Date.parse(at), links, storedBytes, standby: vm }
}

async function beginState(
  site: Site,
  { source, point, sink }: Parameters<ReplicationActivities['beginState']>[0],
): Promise<Sink> {
  const place = { endpoint: source.endpoint, operation: source.pointId, vm: source.vm }
  const { portable, native } = await operate(site, place, (from) => configOf(from, point))
  return operate(site, sink, async ({ driver, ctx }) => {
    const nativeConfigRef = driver.endpoint.platform === source.vm.platform ? String(point.id) : null
    const named = sink.kind === 'standby' ? sink.networks : undefined
    const there = (network: string): string | null => {
      const to = named?.[network]
      return to === undefined ? network : to
    }
    const networks = Object.fromEntries(portable.nics.map(({ network }) => [network, there(network)]))
    const keys = new Set<string>(point.disks.map(({ disk }) => disk.key))
    const vm = { ...portable, disks: portable.disks.filter(({ key }) => keys.has(key)) }
    const parts = nativeConfigRef === null ? null : native
    if (sink.kind === 'standby') {
      await standbyOf(driver).begin(
        ctx,
        {
          ...{ state: point.id, name: sink.name, vm, nativeConfigRef, networks },
          disks: point.disks.map(({ disk, mode, since }) => ({
            ...{ key: disk.key, size: bytes(disk.size) },
            base: mode === 'incremental' ? (since?.point ?? null) : null,
          })),
        },
        parts,
      )
      return sink
    }
    const spec: TargetSpec = {
      place: { kind: 'replace', vm: sink.vm, safetyPoint: null },
      ...{ vm, nativeConfigRef, networks, identity: 'same' },
      disks: vm.disks.map(({ key }) => ({ key, storage: '', thin: true })),
    }
    return { ...sink, target: sink.target ?? (await targetOf(driver).create(ctx, spec, parts)) }
  })
}
