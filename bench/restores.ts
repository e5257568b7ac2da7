/**
 * Every way back, out of a repository of each kind: how long it takes, how fast it moves, and whether what comes back is the
 * source, byte by byte as others read it (qemu-img, SHA-256). A whole Holdfast, its repositories and two VMs (used 512 MiB and
 * 2 GiB, a disk a quarter larger) under the system's temporary folder. Prints a Markdown table; what fails stands in it as well,
 * and ends this with 1.
 *
 *   node bench/restores.ts [--used 512,2048] [--stores posix,minio,azurite] [--ways whole,instant,files,export,offline,disk]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { MiB, describeError, formatBytes } from '../base/index.ts'
import { ask } from '../cli/client/index.ts'
import { finishBackup, Installation, startBackup } from '../cli/demo/index.ts'
import { labUp } from '../lab/index.ts'
import { fillVm, type FilledVm } from './restores/source.ts'
import { startStore, storeKinds, type StoreKind } from './restores/stores.ts'
import { ways, type Way, type WayBack } from './restores/ways.ts'

const { values } = parseArgs({
  options: {
    used: { type: 'string', default: '512,2048' },
    stores: { type: 'string', default: storeKinds.join(',') },
    ways: { type: 'string', default: Object.keys(ways).join(',') },
  },
})
const sizes = values.used.split(',').map((mib) => Number(mib) * MiB)
const wantedStores = values.stores.split(',').map((name) => named<StoreKind>(storeKinds, name))
const wantedWays = values.ways.split(',').map((name) => named(Object.keys(ways) as Way[], name))

function named<T extends string>(known: readonly T[], name: string): T {
  const found = known.find((one) => one === name)
  if (found === undefined) throw new RangeError(`${name} is none of ${known.join(', ')}`)
  return found
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
const rows: string[] = []
let isWhole = true

async function bringBack(of: Omit<WayBack, 'point'>): Promise<void> {
  const { at, vm, store } = of
  const began = performance.now()
  const run = await startBackup(at, vm.id, { mode: 'full', tuning: {}, repositoryId: store.id })
  const { point, copied } = await finishBackup(at, vm.id, run)
  const stored = `${formatBytes(copied.readBytes)} read, ${formatBytes(copied.newBytes)} stored`
  console.error(`${store.kind}, ${formatBytes(vm.used)}: a point in ${seconds(performance.now() - began)}, ${stored}`)
  for (const name of wantedWays) {
    const { title, back } = ways[name]
    const row = [store.kind, formatBytes(vm.used), title]
    try {
      const { firstMs, moved, movedMs, verdict } = await back({ ...of, point })
      isWhole &&= verdict === 'identical'
      const speed = `${(moved / MiB / (movedMs / 1000)).toFixed(0)} MiB/s`
      rows.push([...row, seconds(firstMs), `${formatBytes(moved)} in ${seconds(movedMs)}`, speed, verdict].join(' | '))
    } catch (error) {
      isWhole = false
      rows.push([...row, '', '', '', `failed: ${describeError(error)}`].join(' | '))
    }
    console.error(rows.at(-1))
  }
}

const load = (): string => loadavg()[0]?.toFixed(1) ?? ''
const home = mkdtempSync(join(tmpdir(), 'hf-'))
try {
  const before = load()
  await using at = await Installation.start({ home })
  const specs = sizes.map((used) => ({ name: `vm-${used / MiB}`, qcow2: used + used / 4, raw: null }))
  await using lab = await labUp({ home, name: 'l', vms: specs })
  const { address, options } = lab.endpoint
  const hypervisor = await at.addHypervisor({ name: 'lab', platform: 'qemu', address, options })
  const { items } = await ask(at.api.GET('/vms', { params: { query: { limit: 10 } } }))
  const vms: FilledVm[] = []
  for (const [n, vm] of lab.vms.entries()) {
    const id = items.find(({ name }) => name === vm.name)?.id ?? ''
    vms.push({ id, ...(await fillVm(vm, sizes[n] ?? 0, join(home, `source-${n}`))) })
  }
  for (const kind of wantedStores) {
    await using store = await startStore(kind, at)
    for (const vm of vms) await bringBack({ at, lab, vm, store, hypervisorId: hypervisor.id })
  }
  console.log('| repository | used | way back | first | moved | speed | verdict |\n| - | -: | - | -: | -: | -: | - |')
  for (const row of rows) console.log(`| ${row} |`)
  console.log(`\nload of the machine: ${before} before, ${load()} at the end`)
} finally {
  rmSync(home, { recursive: true, force: true })
}
if (!isWhole) process.exitCode = 1
