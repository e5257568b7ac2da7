import { createHash } from 'node:crypto'
import { MiB, bytes, isHoldfastError } from '../../base/index.ts'
import type { DiskKey, DiskPoint } from '../../drivers/index.ts'
import type { OpenPoint } from '../../repository/index.ts'
import type { Site } from '../shared/deps.ts'
import { operate } from '../shared/operation.ts'
import type { Operation } from '../shared/operation.ts'
import { changed, readSplit } from './source.ts'
import type { AuditInput, AuditResult } from './types.ts'

const chunk = MiB
const fewest = 64
const shareOfDisk = 0.001
const limitMs = 30_000

/**
 * Compares chunks that the tracker calls unchanged with the parent point, byte by byte: half picked at random by the
 * point's id, half along a cursor that walks the disk over successive points (drivers §5.3). One difference, or a parent
 * that has lost the chunk, makes the disk full. The time is shared out among the disks that are still to come.
 */
export async function auditTracker(site: Site, input: AuditInput): Promise<AuditResult> {
  const place = { endpoint: input.endpoint, operation: input.pointId, vm: input.vm }
  return operate(site, place, (operation) =>
    site.repository(input.repository, async (repository) => {
      await using parent = await repository.openPoint(input.parentStem)
      const deadline = site.now() + limitMs
      const mismatched: { disk: DiskKey; offset: number }[] = []
      let checkedChunks = 0
      for (const [done, key] of input.disks.entries()) {
        const share = (deadline - site.now()) / (input.disks.length - done)
        const disk = input.point.disks.find((it) => it.disk.key === key)
        const before = parent.info.disks.find(({ id }) => id === key)
        if (disk === undefined || before === undefined || before.bytes !== disk.disk.size) continue
        const audit = await auditDisk(site, operation, input, parent, disk, site.now() + share)
        checkedChunks += audit.checked
        if (audit.mismatch !== null) mismatched.push({ disk: key, offset: audit.mismatch })
      }
      return { checkedChunks, mismatched }
    }),
  )
}

async function auditDisk(
  site: Site,
  { driver, ctx, pulse }: Operation,
  input: AuditInput,
  parent: OpenPoint,
  disk: DiskPoint,
  deadline: number,
): Promise<{ readonly checked: number; readonly mismatch: number | null }> {
  const { key, size } = disk.disk
  const chunks = Math.ceil(size / chunk)
  const touched = new Uint8Array(chunks)
  for await (const { offset, length } of changed(driver, ctx, input.point, key, 0, size)) {
    touched.fill(1, Math.floor(offset / chunk), Math.ceil((offset + length) / chunk))
  }
  const chosen = chooseChunks(touched, Math.max(fewest, Math.ceil(chunks * shareOfDisk)), input.pointId, input.ordinal)
  const stored = parent.disk(key)
  await using reader = await driver.openReader(ctx, input.point, key)
  let checked = 0
  for (const index of chosen) {
    if (site.now() > deadline) break
    const offset = index * chunk
    const length = Math.min(chunk, size - offset)
    const [now, then] = [new Uint8Array(length), new Uint8Array(length)]
    try {
      await stored.read(offset, then, pulse.signal)
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'ChunkLost') throw error
      site.log.warn(
        { disk: key, offset, point: input.parentStem },
        'the parent point has lost a chunk; the disk is read in full',
      )
      return { checked, mismatch: offset }
    }
    await readSplit(reader, bytes(offset), now, pulse.signal)
    checked += 1
    ctx.progress({ what: 'auditing', disk: key, offset: bytes(offset) })
    if (Buffer.compare(now, then) !== 0) {
      site.log.error(
        { disk: key, offset, point: input.parentStem, endpoint: input.endpoint.id },
        'the change tracker missed a change',
      )
      return { checked, mismatch: offset }
    }
  }
  return { checked, mismatch: null }
}

/**
 * Indexes of unchanged chunks of the `ordinal`-th point, in the order in which they are read; `touched[i]` is 1 for a
 * changed chunk. The cursor half walks over all chunks, point after point, in steps that have no common divisor with
 * their number: each point looks at places all over the disk, and after `chunks / (count / 2)` points every chunk was
 * looked at or was changed. The other half is random. The order is random too: what a deadline cuts off is a sample of
 * both halves and of the whole disk, another one each time.
 */
export function chooseChunks(touched: Uint8Array, count: number, seed: string, ordinal: number): readonly number[] {
  const chunks = touched.length
  const unchanged = touched.reduce((sum, it) => sum + (it === 0 ? 1 : 0), 0)
  const wanted = Math.min(count, unchanged)
  const stride = coprimeTo(chunks)
  const walked = Math.ceil(count / 2)
  const chosen = new Set<number>()
  for (let step = 0; step < Math.min(walked, chunks) && chosen.size < wanted; step += 1) {
    const index = ((((ordinal * walked) % chunks) + step) * stride) % chunks
    if (touched[index] === 0) chosen.add(index)
  }
  for (let n = 0; chosen.size < wanted; n += 1) {
    let index = draw(`${seed}:${n}`) % chunks
    while (touched[index] !== 0 || chosen.has(index)) index = (index + 1) % chunks
    chosen.add(index)
  }
  return [...chosen]
    .map((index) => ({ index, at: draw(`${seed}:order:${index}`) }))
    .sort((a, b) => a.at - b.at || a.index - b.index)
    .map(({ index }) => index)
}

/** Near the golden section, so that few steps are already spread evenly. */
function coprimeTo(chunks: number): number {
  let stride = Math.max(1, Math.floor(chunks * 0.618))
  while (divisor(stride, chunks) !== 1) stride += 1
  return stride
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b)
}

function draw(text: string): number {
  return createHash('sha256').update(text).digest().readUIntLE(0, 6)
}
