import { basename } from 'node:path'
import type { ImageFile } from './file.ts'
import type { LookedAt } from './index.ts'

const sector = 512
const atEnd = 0xffff_ffff_ffff_ffffn
const single = ['monolithicSparse', 'streamOptimized']

/** VMware, Virtual Disk Format 5.0: one file with its descriptor inside. */
export async function lookAtVmdk(file: ImageFile): Promise<LookedAt> {
  let header = await file.part(0, sector)
  const [at, length] = [Number(header.readBigUInt64LE(28)) * sector, Number(header.readBigUInt64LE(36)) * sector]
  // Readers take the descriptor for the disk where there is no capacity, and follow what it names.
  if (header.readBigUInt64LE(12) === 0n || at === 0) throw file.nonsense('its header states no disk')
  const { type, extents, parent } = readDescriptor(
    (await file.part(at, Math.min(length, 1024 * 1024))).toString('latin1'),
  )
  const others = extents.filter((name) => name !== basename(file.path))
  if (parent !== null) return { format: 'vmdk', references: [parent] }
  if (!single.includes(type))
    return { format: 'vmdk', references: others.length > 0 ? others : [`an extent of ${type}`] }
  // A file that was renamed names itself by its old name, which nobody follows: there is one extent, and it is this file.
  if (extents.length > 1) return { format: 'vmdk', references: others }
  if (header.readBigUInt64LE(56) === atEnd) {
    header = await file.part(Math.max(0, file.size - 2 * sector), sector)
    if (header.toString('latin1', 0, 4) !== 'KDMV') throw file.cutOff(file.size + sector)
  }
  await measure(file, header)
  return { format: 'vmdk', references: [] }
}

/** A descriptor by itself: its disk lies in the files that it names. */
export function descriptorOf(text: string): LookedAt {
  const { extents, parent, type } = readDescriptor(text)
  const references = [...(parent === null ? [] : [parent]), ...extents]
  return { format: 'vmdk', references: references.length > 0 ? references : [`an extent of ${type}`] }
}

function readDescriptor(text: string): { type: string; extents: readonly string[]; parent: string | null } {
  const lines = text.split('\0', 1)[0]?.split(/\r?\n/) ?? []
  const value = (name: string): string | null => {
    const pattern = new RegExp(`^\\s*${name}\\s*=\\s*"?([^"]*)"?\\s*$`, 'i')
    return lines.map((line) => pattern.exec(line)?.[1]).find((found) => found !== undefined) ?? null
  }
  const hint = value('parentFileNameHint')
  const cid = value('parentCID')
  const hasParent = cid !== null && !/^f{8}$/i.test(cid)
  return {
    type: value('createType') ?? 'unknown',
    extents: lines.flatMap((line) => /^\s*(?:RW|RDONLY|NOACCESS)\s+\d+\s+\w+\s+"([^"]*)"/i.exec(line)?.[1] ?? []),
    parent: hint ?? (hasParent ? 'a parent that it does not name' : null),
  }
}

/** Every grain that the tables name lies in the file. */
async function measure(file: ImageFile, header: Buffer): Promise<void> {
  const capacity = Number(header.readBigUInt64LE(12))
  const [grain, perTable] = [Number(header.readBigUInt64LE(20)), header.readUInt32LE(44)]
  if (grain < 1 || grain > 65_536 || perTable < 1 || perTable > 65_536)
    throw file.nonsense('its header states no grains')
  const tables = Math.ceil(capacity / grain / perTable)
  if (tables > 64 * 1024 * 1024) throw file.nonsense('its header states a disk that no file has')
  const directory = Number(header.readBigUInt64LE(56)) * sector
  for await (const part of file.table(directory, tables * 4, 4))
    for (let n = 0; n < part.length; n += 4) {
      const table = part.readUInt32LE(n)
      if (table === 0) continue
      for await (const grains of file.table(table * sector, perTable * 4, 4))
        for (let g = 0; g < grains.length; g += 4) {
          const at = grains.readUInt32LE(g)
          // 1: a grain of zeros.
          if (at > 1 && at * sector >= file.size) throw file.cutOff((at + grain) * sector)
        }
    }
}
