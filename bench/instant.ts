/**
 * How long a VM takes to answer: `node bench/instant.ts [--rounds 3] [--store posix|minio|azurite] [--latency 0]`. The same micro
 * guest from its local disks, out of a repository, and, after a drill has shown what its boot reads, with that read ahead; each
 * time from the start of QEMU (or of the run) to the first answer of the agent, and each time another point, so that nothing of
 * it is in memory. `--latency`: milliseconds by which each request to MinIO is delayed. A whole Holdfast and a guest in a folder
 * under the system's temporary one.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { formatBytes, GiB, MiB } from '../base/index.ts'
import { ask, type Schemas } from '../cli/client/index.ts'
import { finishBackup, Installation, startBackup, waitForCompletion } from '../cli/demo/index.ts'
import { labUp, startedLabVm, type Lab, type LabVm } from '../lab/index.ts'
import { delayed, startStore, storeKinds } from './restores/stores.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    store: { type: 'string', default: 'posix' },
    latency: { type: 'string', default: '0' },
  },
})
const rounds = Number(values.rounds)
const latencyMs = Number(values.latency)
const store = storeKinds.find((kind) => kind === values.store)
if (store === undefined) throw new RangeError(`${values.store} is none of ${storeKinds.join(', ')}`)
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

async function local(vm: LabVm): Promise<number> {
  await vm.stop('quit')
  const startedMs = Date.now()
  await vm.start('parent')
  await vm.ready()
  return Date.now() - startedMs
}

interface Times {
  /** From the request to an answer of the agent. */
  readonly allMs: number
  /** From the start of QEMU on. */
  readonly bootMs: number
  readonly instant: Schemas['Instant']
}

async function instant(
  at: Installation,
  lab: Lab,
  pointId: string,
  hypervisorId: string,
  name: string,
): Promise<Times> {
  const startedMs = Date.now()
  const wish = { pointId, hypervisorId, name, network: 'isolated', identity: 'new', reason: 'bench' } as const
  const { runId } = await ask(at.api.POST('/instants', { body: wish }))
  const params = { path: { run: runId } }
  const vm = await startedLabVm(lab, name)
  const launchedMs = Date.now()
  await vm.ready()
  const readyMs = Date.now()
  let seen: Schemas['Instant']
  do {
    await sleep(250)
    seen = await ask(at.api.GET('/instants/{run}', { params }))
  } while (seen.io === null)
  await ask(at.api.POST('/instants/{run}/discard', { params, body: { confirmName: name, reason: 'bench' } }))
  await waitForCompletion(at.api, runId)
  return { allMs: readyMs - startedMs, bootMs: readyMs - launchedMs, instant: seen }
}

const home = mkdtempSync(join(tmpdir(), 'hf-'))
try {
  using undo = new DisposableStack()
  await using at = await Installation.start({ home })
  await using lab = await labUp({ home, name: 'l', vms: [{ name: 'web-01', qcow2: 4 * GiB, raw: 256 * MiB }] })
  const [vm] = lab.vms
  if (vm === undefined) throw new Error('the lab has no VM')
  const { address, options } = lab.endpoint
  const { id } = await at.addHypervisor({ name: 'lab', platform: 'qemu', address, options })
  await using kept = await startStore(store, at, latencyMs > 0 ? (url) => delayed(url, latencyMs, undo) : undefined)
  const { items } = await ask(at.api.GET('/vms', { params: { query: { limit: 10 } } }))
  const vmId = items[0]?.id ?? ''
  await vm.shell('for i in 1 2; do head -c 16777216 /dev/urandom > /data/0/file-$i; done; sync', 600_000)
  const backup = async (): Promise<string> => {
    const run = await startBackup(at, vmId, { mode: 'full', tuning: {}, repositoryId: kept.id })
    return (await finishBackup(at, vmId, run)).point.id
  }
  const tell = async (round: number, what: string): Promise<void> => {
    const pointId = await backup()
    const localMs = await local(vm)
    const { allMs, bootMs, instant: seen } = await instant(at, lab, pointId, id, `now-${what.length}-${round}`)
    const io = seen.io && `${formatBytes(seen.io.readBytes)} read, ${formatBytes(seen.io.fetchedBytes ?? 0)} fetched`
    console.log(
      `${what}: local ${seconds(localMs)} · out of the repository ${seconds(bootMs)} (${seconds(bootMs - localMs)} more), ` +
        `from the request ${seconds(allMs)} · ${io ?? ''}`,
    )
  }
  for (let round = 1; round <= rounds; round += 1) await tell(round, 'nothing read ahead')
  const checks = [{ title: 'it runs', path: '/bin/true', args: [], timeoutMs: 60_000, expectExit: 0, count: null }]
  const drill = { pointId: await backup(), from: 'repository' as const, checks, reason: 'bench' }
  const { runId } = await ask(at.api.POST('/drills', { body: drill }))
  await waitForCompletion(at.api, runId)
  const { bootList } = await ask(at.api.GET('/points/{id}', { params: { path: { id: drill.pointId } } }))
  if (bootList === null) throw new Error('the drill has left no boot list')
  for (let round = 1; round <= rounds; round += 1) await tell(round, `${formatBytes(bootList.bytes)} read ahead`)
} finally {
  rmSync(home, { recursive: true, force: true })
}
