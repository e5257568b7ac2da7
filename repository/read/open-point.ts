import { createHash } from 'node:crypto'
import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { BLOB_CONFIG, configPartLength, fromHex, NO_PARENT, rootsOfDisk } from '../format/index.ts'
import type { DiskReader, OpenPoint, PointEntry, PointInfo } from '../types.ts'
import { ManifestDiskReader } from './disk-reader.ts'
import type { LoadedManifest } from './manifest.ts'

/** One recovery point: manifest decoded and checked, pages loaded as they are needed. */
export class LoadedPoint implements OpenPoint {
  readonly info: PointInfo
  readonly #engine: Engine
  readonly #manifest: LoadedManifest
  readonly #disks = new Map<string, ManifestDiskReader>()

  constructor(engine: Engine, manifest: LoadedManifest, entry: PointEntry) {
    this.#engine = engine
    this.#manifest = manifest
    this.info = pointInfo(manifest, entry)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disks.clear()
  }

  disk(id: string): DiskReader {
    return this.reader(id)
  }

  /** As `disk`, with what the engine's own rooms need besides. */
  reader(id: string): ManifestDiskReader {
    const known = this.#disks.get(id)
    if (known !== undefined) return known
    const { body, stem } = this.#manifest
    const disk = body.json.disks.find((each) => each.id === id)
    if (disk === undefined) throw new HoldfastError('NotFound', `${stem} has no disk ${id}`)
    const { ring, store, blobs, pool, budget } = this.#engine
    const reader = new ManifestDiskReader({ stem, ring, store, blobs, pool, budget }, disk, rootsOfDisk(body, disk))
    this.#disks.set(id, reader)
    return reader
  }

  async *config(name: string): AsyncGenerator<Uint8Array> {
    const { body, stem } = this.#manifest
    const config = body.json.configs.find((each) => each.name === name)
    if (config === undefined) throw new HoldfastError('NotFound', `${stem} has no configuration ${name}`)
    const hash = createHash('sha256')
    for (const [index, { id, ...at }] of config.parts.entries()) {
      const wish = {
        type: BLOB_CONFIG,
        id: fromHex(id, 32, 'config id'),
        ulen: configPartLength(config, index),
      } as const
      const content = await this.#engine.blobs.read(wish, at)
      hash.update(content)
      yield content
    }
    if (hash.digest('hex') !== config.sha256) {
      throw new HoldfastError(
        'FormatError',
        `configuration ${name} of ${stem} has another SHA-256 than its manifest says`,
      )
    }
  }
}

function pointInfo({ header, body }: LoadedManifest, entry: PointEntry): PointInfo {
  const { vm, point, consistency, hypervisor, disks, configs, retention, source } = body.json
  const { lockMode: _, ...kept } = retention
  return {
    ...entry,
    parentSnap: header.parent === NO_PARENT ? null : header.parent,
    mirroredFrom: source === undefined ? null : { repo: source.repo, snap: source.snap },
    vm,
    point,
    consistency,
    hypervisor,
    disks: disks.map((disk) => {
      const { id, label, bytes, sectorSize, mode, why, readBytes, newBytes, imageRoot, changeRef } = disk
      return { id, label, bytes, sectorSize, mode, why, readBytes, newBytes, imageRoot, changeRef }
    }),
    configs: configs.map(({ name, type, bytes, sha256 }) => ({ name, type, bytes, sha256 })),
    retention: kept,
  }
}
