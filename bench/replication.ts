/**
 * How far a standby is behind its VM: two hypervisors, a guest under write load with two disks, replication with the promise
 * given, `holdfast up` as it is. The lag is asked once a second, as the watchdog sees it. At the end what the standby holds is
 * compared with the oracle's own copy of that instant.
 *
 *   node bench/replication.ts [minutes=30] [promise in seconds=300] [write rate, KiB/s=4096]
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MiB, formatBytes, formatDuration } from '../base/index.ts'
import { ask, type Schemas } from '../cli/client/index.ts'
import { waitForCompletion } from '../cli/demo/index.ts'
import { LabVm, Oracle, startWorkload, stopWorkload } from '../lab/index.ts'
import { compareStandby } from '../tests/support/standby.ts'
import { makeWorld } from '../tests/support/world.ts'

const [minutes = 30, promised = 300, rate = 4096] = process.argv.slice(2).map(Number)
const seedingMs = 600_000

const world = await makeWorld({ vm: { qcow2: 2048 * MiB, raw: 256 * MiB } })
const folder = join(world.home, 'p')
const standbys = (): string[] => readdirSync(folder).map((name) => join(folder, name))
try {
  mkdirSync(folder)
  const { id: hypervisorId } = await world.at.addHypervisor({
    ...{ name: 'standby', platform: 'qemu', address: folder, options: { scope: randomUUID() } },
  })
  const body = { vmId: world.vm.id, hypervisorId, rpoMs: promised * 1000 }
  const { id } = await ask(world.at.api.POST('/replications', { body }))
  const look = (): Promise<Schemas['Replication']> =>
    ask(world.at.api.GET('/replications/{id}', { params: { path: { id } } }))
  const until = async (isIt: (one: Schemas['Replication']) => boolean): Promise<void> => {
    for (const end = Date.now() + seedingMs; !isIt(await look());) {
      if (Date.now() > end) throw new Error(`the standby is ${(await look()).state} after ${formatDuration(seedingMs)}`)
      await sleep(500)
    }
  }
  const began = performance.now()
  await until(({ state }) => state === 'following')
  console.log(`seeded in ${formatDuration(performance.now() - began)}`)

  await startWorkload(world.guest, { rate })
  const lags: number[] = []
  const heads = new Set<number>()
  for (const end = Date.now() + minutes * 60_000; Date.now() < end;) {
    const { headMs, lagMs } = await look()
    if (headMs !== null) heads.add(headMs)
    if (lagMs !== null) lags.push(lagMs)
    await sleep(1000)
  }
  // Only now, so that its copies cost the cycles above nothing; the guest still writes.
  await using oracle = await Oracle.start({
    ...{ folder: join(world.home, 'o'), vms: async () => [world.guest.dir, ...standbys()] },
  })
  const last = { params: { path: { id } }, body: { full: false, reason: 'comparison', tuning: {} } }
  await until(({ doing }) => doing === null)
  await waitForCompletion(world.at.api, (await ask(world.at.api.POST('/replications/{id}/cycle', last))).runId)
  await stopWorkload(world.guest)
  await ask(world.at.api.PATCH('/replications/{id}', { params: { path: { id } }, body: { isPaused: true } }))
  await until(({ doing }) => doing === null)

  lags.sort((a, b) => a - b)
  const at = (share: number): string => formatDuration(lags[Math.floor((lags.length - 1) * share)] ?? 0)
  const cycles = await ask(
    world.at.api.GET('/runs', { params: { query: { limit: 200, kind: 'replication', vmId: world.vm.id } } }),
  )
  const moved = cycles.items.reduce((sum, { bytesRead }) => sum + (bytesRead ?? 0), 0)
  console.log(
    `${minutes} min at ${rate} KiB/s: ${lags.length} looks, ${heads.size} states, ${cycles.total} runs, ${formatBytes(moved)} read`,
  )
  console.log(`lag: median ${at(0.5)}, 95 % ${at(0.95)}, at most ${at(1)}; promised ${formatDuration(promised * 1000)}`)
  const compared = await compareStandby(oracle, join(folder, `${world.vm.name}-standby`))
  const held = (lags.at(-1) ?? Infinity) <= promised * 1000
  const identical = compared.length > 0 && compared.every((one) => one.identical)
  console.log(`promise ${held ? 'held' : 'broken'}; ${compared.length} disks ${identical ? 'identical' : 'DIFFERENT'}`)
  process.exitCode = held && identical ? 0 : 1
} finally {
  for (const dir of standbys()) await (await LabVm.open(dir)).stop('kill')
  await world.end()
}
