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
const share = 0.001
const limitMs = 30_000

/**
 * Compares chunks that the tracker calls unchanged with the parent point, byte by byte: half picked at random by the
 * point's id, half along a cursor that walks the disk with time (drivers §5.3). One difference, or a parent that has
 * lost the chunk, makes the disk full.
 */
export async function auditTracker(site: Site, input: AuditInput): Promise<AuditResult> {
  const place = { endpoint: input.endpoint, operation: input.pointId, vm: input.vm }
  return operate(site, place, (operation) =>
    site.repository(input.repository, async (repository) => {
      await using parent = await repository.openPoint(input.parentStem)
      const deadline = site.now() + limitMs
      const mismatched: { disk: DiskKey; offset: number }[] = []
      let checkedChunks = 0
      for (const key of input.disks) {
        const disk = input.point.disks.find((it) => it.disk.key === key)
        const before = parent.info.disks.find(({ id }) => id === key)
        if (disk === undefined || before === undefined || before.bytes !== disk.disk.size) continue
        const audit = await auditDisk(site, operation, input, parent, disk, deadline)
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
  const chosen = chooseChunks(touched, Math.max(fewest, Math.ceil(chunks * share)), input.pointId, site.now())
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

/** Indexes of unchanged chunks: deterministic for a point and an hour. `touched[i]` is 1 for a changed chunk. */
export function chooseChunks(touched: Uint8Array, count: number, seed: string, nowMs: number): readonly number[] {
  const unchanged = touched.reduce((sum, it) => sum + (it === 0 ? 1 : 0), 0)
  const chosen = new Set<number>()
  const wanted = Math.min(count, unchanged)
  const cursor = Math.floor(nowMs / 3600_000) * Math.ceil(count / 2)
  for (let step = 0; step < touched.length && chosen.size < Math.floor(wanted / 2); step += 1) {
    const index = (cursor + step) % touched.length
    if (touched[index] === 0) chosen.add(index)
  }
  for (let n = 0; chosen.size < wanted; n += 1) {
    const digest = createHash('sha256').update(`${seed}:${n}`).digest()
    let index = Number(digest.readBigUInt64LE(0) % BigInt(touched.length))
    while (touched[index] !== 0 || chosen.has(index)) index = (index + 1) % touched.length
    chosen.add(index)
  }
  return [...chosen].sort((a, b) => a - b)
}
