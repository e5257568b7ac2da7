import { spawn } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytes, GiB, MiB } from '../base/index.ts'
import { ALLOCATION_CONTEXT, connectNbd, walkContext } from '../nbd/index.ts'

/**
 * Throughput of the NBD client against qemu-nbd over a UNIX socket: 2 GiB raw, 1.78 GiB of it random and the rest a
 * hole, one connection, 8 × 1 MiB in flight, median of three. `shared`: into SharedArrayBuffers, as the mover does.
 * Run: node bench/nbd-client.ts
 */

const SIZE = 2 * GiB
const RANDOM = 1780 * MiB
const TARGET = 800

interface Sample {
  readonly megabytesPerSecond: number
  readonly cpuPercent: number
}

async function measure(path: string, makeBuffer: () => Uint8Array): Promise<Sample> {
  await using client = await connectNbd({ address: { kind: 'unix', path }, exportName: '' })
  const cpu = process.cpuUsage()
  const started = performance.now()
  let next = 0
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const buffer = makeBuffer()
      while (next < client.size) {
        const at = next
        next += MiB
        await client.read(bytes(at), buffer)
      }
    }),
  )
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { megabytesPerSecond: client.size / 1e6 / seconds, cpuPercent: (user + system) / 1e4 / seconds }
}

async function median(path: string, makeBuffer: () => Uint8Array): Promise<Sample> {
  const samples: Sample[] = []
  for (let run = 0; run < 3; run += 1) samples.push(await measure(path, makeBuffer))
  samples.sort((a, b) => a.megabytesPerSecond - b.megabytesPerSecond)
  return samples[1] ?? { megabytesPerSecond: 0, cpuPercent: 0 }
}

async function mapMilliseconds(path: string): Promise<string> {
  await using client = await connectNbd({
    address: { kind: 'unix', path },
    exportName: '',
    contexts: [ALLOCATION_CONTEXT],
  })
  const started = performance.now()
  const extents = await Array.fromAsync(walkContext(client, ALLOCATION_CONTEXT, { start: bytes(0), end: client.size }))
  return `${extents.length} extents in ${(performance.now() - started).toFixed(1)} ms`
}

async function makeDisk(path: string): Promise<void> {
  const file = await open(path, 'w')
  const block = Buffer.alloc(MiB)
  for (let at = 0; at < RANDOM; at += MiB) await file.write(randomFillSync(block), 0, MiB, at)
  await file.truncate(SIZE)
  await file.close()
}

async function listens(path: string): Promise<void> {
  for (
    const deadline = Date.now() + 10_000;
    Date.now() < deadline;
    await new Promise((resolve) => setTimeout(resolve, 20))
  ) {
    const isUp = await new Promise<boolean>((resolve) => {
      const probe = connect({ path })
      probe.once('connect', () => resolve(probe.destroy() !== null)).once('error', () => resolve(false))
    })
    if (isUp) return
  }
  throw new Error('qemu-nbd does not listen')
}

const directory = await mkdtemp(join(tmpdir(), 'hf-bench-'))
const [disk, socket] = [join(directory, 'disk'), join(directory, 's')]
try {
  await makeDisk(disk)
  const peer = spawn('qemu-nbd', ['-r', '-t', '-f', 'raw', '-k', socket, disk], { stdio: 'ignore' })
  try {
    await listens(socket)
    const plain = await median(socket, () => new Uint8Array(MiB))
    const shared = await median(socket, () => new Uint8Array(new SharedArrayBuffer(MiB)))
    for (const [name, sample] of [
      ['plain', plain],
      ['shared', shared],
    ] as const) {
      console.log(
        `${name}: ${sample.megabytesPerSecond.toFixed(0)} MB/s, ${sample.cpuPercent.toFixed(0)} % of one core, ` +
          `${((sample.megabytesPerSecond / sample.cpuPercent) * 100).toFixed(0)} MB per second of our CPU`,
      )
    }
    console.log(`load of the machine: ${loadavg()[0]?.toFixed(1)}`)
    console.log(`map: ${await mapMilliseconds(socket)}`)
    if (plain.megabytesPerSecond < TARGET) process.exitCode = 1
  } finally {
    peer.kill('SIGKILL')
  }
} finally {
  await rm(directory, { recursive: true, force: true })
}
