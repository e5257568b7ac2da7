import { encodeCondemned, encodeFinal, encodeFloor, names, parseName, toHex, type SeenRecord } from '../format/index.ts'
import { recordSigner, sha256, type KeyRing } from '../keys/index.ts'
import type { MemoryBucket } from './memory-store.ts'

/** A `.c` that was planted. */
export interface PlantedRecord {
  readonly name: string
  readonly epoch: number
  readonly nonce: string
  readonly packs: readonly string[]
  readonly body: Uint8Array
}

/** Plants records as a collector would (§9), without collecting anything. */
export class GcScript {
  readonly #bucket: MemoryBucket
  readonly #ring: KeyRing
  #nonce = 0

  constructor(bucket: MemoryBucket, ring: KeyRing) {
    this.#bucket = bucket
    this.#ring = ring
  }

  /** Puts a `.c` that condemns these packs. */
  condemn(
    epoch: number,
    packs: readonly string[],
    options: { readonly floorSeen?: number; readonly seen?: readonly SeenRecord[] } = {},
  ): PlantedRecord {
    const nonce = (this.#nonce += 1).toString(16).padStart(32, '0')
    const { floorSeen = 1, seen = [] } = options
    const fields = { repo: this.#ring.repo, epoch, createdMs: 1, nonce, owner: 'ab'.repeat(16), floorSeen, seen, packs }
    const body = encodeCondemned(fields, recordSigner(this.#ring))
    const name = names.record('condemned', epoch, nonce)
    this.#bucket.set(name, body)
    return { name, epoch, nonce, packs: [...packs].sort(), body }
  }

  /** Puts the `.f` of a `.c`: what is left of it is deleted for ever. */
  finish(record: PlantedRecord, finals: readonly string[]): string {
    const { epoch, nonce, packs, body } = record
    const ordinals = finals.map((pack) => packs.indexOf(pack)).sort((a, b) => a - b)
    const name = names.record('final', epoch, nonce)
    const condemnedSha = toHex(sha256(body))
    const fields = {
      repo: this.#ring.repo,
      epoch,
      createdMs: 1,
      nonce,
      condemnedSha,
      nPacks: packs.length,
      stopped: false,
      ordinals,
    }
    this.#bucket.set(name, encodeFinal(fields, recordSigner(this.#ring)))
    return name
  }

  raiseFloor(n: number): void {
    this.#bucket.set(names.floor(n), encodeFloor({ repo: this.#ring.repo, n }, recordSigner(this.#ring)))
  }

  /** Names of packs in the bucket, of one kind: 0 data, 1 meta. */
  packs(kind?: 0 | 1): string[] {
    return this.#bucket.names('pack/').flatMap((name) => {
      const parsed = parseName(name)
      return parsed?.kind === 'pack' && (kind === undefined || this.#bucket.body(name)[10] === kind) ? [parsed.sha] : []
    })
  }

  deletePack(sha: string): void {
    this.#bucket.objects.delete(names.pack(sha))
  }
}
