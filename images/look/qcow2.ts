import { MiB } from '../../base/index.ts'
import type { ImageFile } from './file.ts'
import type { LookedAt } from './index.ts'

const l2Offset = 0x00ff_ffff_ffff_fe00n
const compressed = 1n << 62n
const [dataFile, extendedEntries] = [1n << 2n, 1n << 4n]

/** QEMU, docs/interop/qcow2.txt. Versions 2 and 3. */
export async function lookAtQcow2(file: ImageFile, tables: boolean): Promise<LookedAt> {
  const header = await file.part(0, Math.min(file.size, 112))
  if (header.length < 72) throw file.cutOff(72)
  const version = header.readUInt32BE(4)
  if (version === 1) throw file.unsupported('is a qcow of version 1', 'Convert it: qemu-img convert -O qcow2 FILE NEW.')
  if (version !== 2 && version !== 3) throw file.nonsense(`a qcow of version ${version}`)
  if (version === 3 && header.length < 104) throw file.cutOff(104)
  const incompatible = version === 3 ? header.readBigUInt64BE(72) : 0n
  if (header.readUInt32BE(32) !== 0)
    throw file.unsupported('is encrypted', 'Convert it to an image that is not: qemu-img convert with its secret.')
  const clusterBits = header.readUInt32BE(20)
  if (clusterBits < 9 || clusterBits > 21) throw file.nonsense(`clusters of 2^${clusterBits} bytes`)
  const references = [
    ...(await backing(file, Number(header.readBigUInt64BE(8)), header.readUInt32BE(16))),
    ...((incompatible & dataFile) === 0n ? [] : [await dataFileName(file, header.readUInt32BE(100))]),
  ]
  if (tables && references.length === 0)
    await measure(file, {
      clusterBits,
      entryBytes: (incompatible & extendedEntries) === 0n ? 8 : 16,
      l1Entries: header.readUInt32BE(36),
      l1: Number(header.readBigUInt64BE(40)),
    })
  return { format: 'qcow2', references }
}

async function backing(file: ImageFile, at: number, length: number): Promise<string[]> {
  if (at === 0) return []
  if (length > 1023) throw file.nonsense('the name of its backing file is too long')
  return [(await file.part(at, length)).toString('utf8')]
}

const dataFileExtension = 0x4441_5441

async function dataFileName(file: ImageFile, headerLength: number): Promise<string> {
  for (let at = headerLength, n = 0; n < 64; n += 1) {
    const head = await file.part(at, 8)
    const [type, length] = [head.readUInt32BE(0), head.readUInt32BE(4)]
    if (type === 0 || length > 4096) break
    if (type === dataFileExtension) return (await file.part(at + 8, length)).toString('utf8')
    at += 8 + Math.ceil(length / 8) * 8
  }
  // The caller of an image can name one; without a name nobody knows it.
  return 'a data file of its own'
}

interface Tables {
  readonly clusterBits: number
  readonly entryBytes: number
  readonly l1Entries: number
  readonly l1: number
}

/** As QEMU: no disk that it opens has a larger one. */
const mostL1Entries = (32 * MiB) / 8

/** Reading past the end of the file gives zeros, and no error: an image that was cut off must not look like a whole one. */
async function measure(file: ImageFile, { clusterBits, entryBytes, l1Entries, l1 }: Tables): Promise<void> {
  if (l1Entries > mostL1Entries) throw file.nonsense(`a table of ${l1Entries} entries`)
  const cluster = 2 ** clusterBits
  // A header that names one table very often would have it read as often.
  const seen = new Set<bigint>()
  const need = (offset: bigint): void => {
    if (offset >= BigInt(file.size)) throw file.cutOff(Number(offset) + cluster)
  }
  // Where the offset of a compressed cluster ends and its length begins.
  const compressedBits = (1n << BigInt(62 - (clusterBits - 8))) - 1n
  for await (const part of file.table(l1, l1Entries * 8, 8))
    for (let n = 0; n < part.length; n += 8) {
      const table = part.readBigUInt64BE(n) & l2Offset
      if (table === 0n || seen.has(table)) continue
      seen.add(table)
      need(table)
      for await (const entries of file.table(Number(table), cluster, entryBytes))
        for (let e = 0; e < entries.length; e += entryBytes) {
          const high = entries.readUInt32BE(e)
          if (high === 0 && entries.readUInt32BE(e + 4) === 0) continue
          const entry = entries.readBigUInt64BE(e)
          need((entry & compressed) === 0n ? entry & l2Offset : entry & compressedBits)
        }
    }
}
