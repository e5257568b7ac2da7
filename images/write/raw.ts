import type { ImageSource, ImageStream } from '../types.ts'
import { zeros } from './blocks.ts'

/** Every byte of the disk; holes are zeros, because a stream has no holes. */
export function rawImage(source: ImageSource, signal: AbortSignal): ImageStream {
  return { size: source.size, stream: content(source, signal) }
}

async function* content(source: ImageSource, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0
  for await (const { offset, data } of source.stream(signal)) {
    yield* zeros(offset - at)
    yield data
    at = offset + data.byteLength
  }
  yield* zeros(source.size - at)
}
