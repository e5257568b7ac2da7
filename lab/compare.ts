import { HoldfastError } from '../base/index.ts'
import { runProgram } from '../drivers/transport/index.ts'

export interface Image {
  readonly file: string
  readonly format: 'raw' | 'qcow2'
}

export type Comparison =
  | { readonly identical: true; readonly size: number }
  | { readonly identical: false; readonly reason: 'content'; readonly offset: number }
  | { readonly identical: false; readonly reason: 'size'; readonly sizes: readonly [number, number] }

/**
 * Compares two images byte for byte with `qemu-img compare`, which shares no code with Holdfast. Sizes are compared
 * first: qemu-img itself calls a longer image the same when its end is zeros. `offset`: first sector that differs.
 */
export async function compareImages(a: Image, b: Image): Promise<Comparison> {
  const sizes = [await virtualSize(a), await virtualSize(b)] as const
  if (sizes[0] !== sizes[1]) return { identical: false, reason: 'size', sizes }
  const { exit, out } = await runProgram('qemu-img', ['compare', '-f', a.format, '-F', b.format, a.file, b.file], {
    accept: [0, 1],
  })
  if (exit === 0) return { identical: true, size: sizes[0] }
  const offset = /mismatch at offset (\d+)/.exec(out)?.[1]
  if (offset === undefined) throw new HoldfastError('ProtocolMismatch', `qemu-img compare says: ${out.trim()}`)
  return { identical: false, reason: 'content', offset: Number(offset) }
}

async function virtualSize(image: Image): Promise<number> {
  const { out } = await runProgram('qemu-img', ['info', '--output=json', '-f', image.format, image.file])
  return (JSON.parse(out) as { 'virtual-size': number })['virtual-size']
}
