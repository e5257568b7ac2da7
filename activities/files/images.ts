import { HoldfastError, bytes } from '../../base/index.ts'
import type { FileSession, Served } from '../../files/index.ts'
import { diskIdentity, streamImage, type ImageFormat, type ImageSource } from '../../images/index.ts'
import type { PointSource } from '../instant/source.ts'

/** The disks of an open point as images. A store that is away is waited for, as for everything else of a session. */
export class DiskImages {
  readonly #point: string
  readonly #sources: ReadonlyMap<string, PointSource>

  constructor(stem: string, sources: readonly { readonly key: string; readonly source: PointSource }[]) {
    this.#point = stem.split('/')[1] ?? stem
    this.#sources = new Map(sources.map(({ key, source }) => [key, source]))
  }

  /** Throws NotFound for a disk that is not open here, Unsupported for one that the format cannot hold. */
  async image(disk: string, format: ImageFormat, signal: AbortSignal): ReturnType<Served['image']> {
    const source = this.#sources.get(disk)
    if (source === undefined)
      throw new HoldfastError('NotFound', `no disk ${disk} is open here`, {
        hint: `It has ${[...this.#sources.keys()].join(', ')}.`,
      })
    return await streamImage(format, imageSource(source, signal), { identity: diskIdentity(this.#point, disk), signal })
  }
}

function imageSource(source: PointSource, asked: AbortSignal): ImageSource {
  const whole = { start: bytes(0), end: source.size }
  return {
    size: source.size,
    async *runs() {
      for await (const { offset, length, kind } of source.blockStatus(whole, asked))
        yield { offset, length, kind: kind === 'zero' ? 'hole' : 'data' }
    },
    stream: (signal) => source.stream(signal),
  }
}

/** Of a session without a machine that could open file systems. */
export function disksOnly(images: DiskImages): Served {
  const none = (): Promise<never> =>
    Promise.reject(
      new HoldfastError('Unsupported', 'the point is open for its disks only', {
        hint: 'Open its files: holdfast files open VM, or Browse files on the page of the point.',
      }),
    )
  return {
    ...{ volumes: [], stat: none, list: none, search: none, content: none, archive: none },
    image: (disk, format, signal) => images.image(disk, format, signal),
  }
}

export function withDisks(files: FileSession, images: DiskImages): Served {
  return {
    volumes: files.volumes,
    stat: (place) => files.stat(place),
    list: (place, from, limit) => files.list(place, from, limit),
    search: (place, text, signal) => files.search(place, text, signal),
    content: (place, start, end) => files.content(place, start, end),
    archive: (volume, paths, format, signal) => files.archive(volume, paths, format, signal),
    image: (disk, format, signal) => images.image(disk, format, signal),
  }
}
