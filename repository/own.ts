import { MiB } from '../base/index.ts'
import type { ConfigPart, OpenPoint, PointInfo } from './types.ts'

/** §3.2: the series in which an installation keeps its catalog. `installation`: its UUID, 32 hex digits. */
export function catalogVm(installation: string): {
  readonly platform: string
  readonly scope: string
  readonly vm: string
} {
  return { platform: 'holdfast', scope: installation, vm: 'catalog' }
}

/** Configuration that holds it: a SQLite file, in pieces `catalog.db`, `catalog.db.1` … */
const first = 'catalog.db'
/** Below the bound of one configuration (§4.12: 256 parts of 4 MiB); a multiple of a part, so that parts keep their content. */
const pieceSize = 512 * MiB

/** The catalog as configuration parts of a point, from one stream that is read once and in order. */
export function catalogParts(bytes: number, content: AsyncIterable<Uint8Array>, size = pieceSize): ConfigPart[] {
  const source = content[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array(0)
  const count = Math.max(1, Math.ceil(bytes / size))
  async function* take(limit: number): AsyncGenerator<Uint8Array> {
    for (let left = limit; left > 0;) {
      if (rest.length === 0) {
        const next = await source.next()
        if (next.done === true) return
        rest = next.value
      }
      const piece = rest.subarray(0, left)
      rest = rest.subarray(piece.length)
      left -= piece.length
      if (piece.length > 0) yield piece
    }
  }
  return Array.from({ length: count }, (_, index) => ({
    name: index === 0 ? first : `${first}.${index}`,
    type: 'catalog' as const,
    // The last one reads to the end: what is too long is found by whoever checks the stream.
    content: take(index === count - 1 ? Number.POSITIVE_INFINITY : size),
  }))
}

/** Whether the point is a version of a catalog. */
export function holdsCatalog({ disks, configs, vm }: Pick<PointInfo, 'disks' | 'configs' | 'vm'>): boolean {
  return disks.length === 0 && vm.platform === 'holdfast' && configs.some(({ name }) => name === first)
}

/** The catalog of such a point, with all checks of a restore. */
export async function* readCatalog(point: OpenPoint): AsyncGenerator<Uint8Array> {
  const count = point.info.configs.filter(({ type }) => type === 'catalog').length
  for (let index = 0; index < count; index += 1) yield* point.config(index === 0 ? first : `${first}.${index}`)
}
