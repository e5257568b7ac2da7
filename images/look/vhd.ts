import type { ImageFile } from './file.ts'
import type { LookedAt } from './index.ts'

const sector = 512
const kinds = { fixed: 2, dynamic: 3, differencing: 4 } as const

/** The footer in the last sector, which a fixed disk has and nothing before it. */
export async function fixedVhdFooter(file: ImageFile): Promise<Buffer | null> {
  if (file.size < 2 * sector || file.size === Number.MAX_SAFE_INTEGER) return null
  const footer = await file.part(file.size - sector, sector)
  return footer.toString('latin1', 0, 8) === 'conectix' && footer.readUInt32BE(60) === kinds.fixed ? footer : null
}

/** Microsoft, Virtual Hard Disk Image Format Specification 1.0. */
export async function lookAtVhd(file: ImageFile): Promise<LookedAt> {
  const footer = await file.part(file.size - sector, sector)
  if (footer.toString('latin1', 0, 8) !== 'conectix') throw file.cutOff(file.size + sector)
  const kind = footer.readUInt32BE(60)
  if (kind === kinds.differencing) return { format: 'vhd', references: ['the disk that it is a difference to'] }
  const size = Number(footer.readBigUInt64BE(48))
  if (kind === kinds.fixed) {
    if (file.size < size + sector) throw file.cutOff(size + sector)
    return { format: 'vhd', references: [] }
  }
  if (kind !== kinds.dynamic) throw file.nonsense(`a VHD of kind ${kind}`)
  const header = await file.part(Number(footer.readBigUInt64BE(16)), 1024)
  if (header.toString('latin1', 0, 8) !== 'cxsparse') throw file.nonsense('its dynamic header is missing')
  const [entries, block] = [header.readUInt32BE(28), header.readUInt32BE(32)]
  if (block < sector || entries * block < size) throw file.nonsense('its table is too short for its disk')
  for await (const part of file.table(Number(header.readBigUInt64BE(16)), entries * 4, 4))
    for (let n = 0; n < part.length; n += 4) {
      const at = part.readUInt32BE(n)
      const end = at * sector + Math.ceil(block / sector / 8 / sector) * sector + block
      if (at !== 0xffff_ffff && end > file.size) throw file.cutOff(end)
    }
  return { format: 'vhd', references: [] }
}
