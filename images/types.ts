/** Disk image formats; `vhd` is the older one of Microsoft, which QEMU calls `vpc`. */
export const imageFormats = ['raw', 'qcow2', 'vmdk', 'vhdx', 'vhd'] as const
export type ImageFormat = (typeof imageFormats)[number]

/** A disk that is written as an image. What `stream` yields lies in the data of `runs`. */
export interface ImageSource {
  /** Bytes. */
  readonly size: number
  /** Sorted and gap-free over the whole disk; asked once or twice. */
  runs(): AsyncIterable<{ readonly offset: number; readonly length: number; readonly kind: 'data' | 'hole' }>
  /** Content in ascending order, holes left out. The memory may be reused once the next one is asked for. */
  stream(signal: AbortSignal): AsyncIterable<{ readonly offset: number; readonly data: Uint8Array }>
}

export interface ImageStream {
  /** Bytes of the whole image; null: nobody knows before it has ended (what is compressed). */
  readonly size: number | null
  /**
   * The image from first byte to last; the memory of a part is used again once the next one is asked for. Fails where the disk
   * cannot be read: then what was written is no image.
   */
  readonly stream: AsyncIterable<Uint8Array>
}

/** A disk as its repository reads it. */
interface Reader {
  readonly info: { readonly bytes: number }
  runs(start: number, end: number): ReturnType<ImageSource['runs']>
  stream(start: number, end: number, signal: AbortSignal): ReturnType<ImageSource['stream']>
}

export function sourceOf(reader: Reader): ImageSource {
  const { bytes } = reader.info
  return {
    size: bytes,
    runs: () => reader.runs(0, bytes),
    stream: (signal) => reader.stream(0, bytes, signal),
  }
}
