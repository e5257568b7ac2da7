import { randomBytes } from 'node:crypto'
import { GiB, MiB } from '../base/index.ts'
import type { DiskSource, PartResult, Repository, SourceExtent } from '../repository/index.ts'

const { signal } = new AbortController()
const uuid = () => randomBytes(16).toString('hex')

/** A quarter holes, a quarter incompressible, the rest text-like; every chunk differs. */
const noise = randomBytes(4 * MiB)
const words = Buffer.from(Array.from({ length: 64 }, () => randomBytes(3).toString('hex')).join(' '))
const text = Buffer.alloc(4 * MiB)
for (let at = 0, i = 0; at < text.length; i++) {
  const from = (i * 7919) % (words.length - 40)
  at += words.copy(text, at, from, from + 8 + (i % 32))
}
const isHole = (mib: number) => mib % 16 < 4

/** A disk like an image; `changed`: all of it is read, or so many of its MiB, as a hypervisor lists them. */
function source(size: number, changed: 'all' | number, salt: string): DiskSource {
  return {
    size,
    readable: 'all',
    maxInFlight: 8,
    async *extents(start: number, end: number): AsyncGenerator<SourceExtent> {
      const used = (size / MiB / 16) * 12
      for (let nth = 0; changed !== 'all' && nth < changed; nth += 1) {
        const offset = usedMib(Math.floor((nth * used) / changed)) * MiB
        if (offset >= start && offset < end) yield { offset, length: MiB, kind: 'data' }
      }
      for (let at = start; changed === 'all' && at < end; at += MiB) {
        yield { offset: at, length: Math.min(MiB, end - at), kind: isHole(at / MiB) ? 'zero' : 'data' }
      }
    },
    async read(at: number, into: Uint8Array): Promise<void> {
      fill(at, into, salt)
    },
  }
}

function fill(at: number, into: Uint8Array, salt: string): void {
  const from = (at * 13) % (3 * MiB)
  into.set((Math.floor(at / MiB) % 16 < 8 ? noise : text).subarray(from, from + into.length))
  Buffer.from(into.buffer, into.byteOffset, into.length).write(`chunk ${at}${salt}`)
}

/** The MiB of such a disk in which its n-th chunk of data lies. */
export function usedMib(nth: number): number {
  return Math.floor(nth / 12) * 16 + 4 + (nth % 12)
}

/** The chunk that begins there. */
export function contentAt(at: number): Uint8Array {
  const content = new Uint8Array(MiB)
  fill(at, content, '')
  return content
}

/** One point of it, by all steps of a backup. */
export async function backUpDisk(
  repository: Repository,
  of: {
    readonly size: number
    readonly name: string
    readonly parentStem: string | null
    readonly mode: 'full' | 'incremental'
    /** Disks of another one have no chunk in common. */
    readonly salt?: string
    readonly vm?: string
    /** MiB that have changed since the parent, of an incremental. */
    readonly changed?: number
  },
): Promise<{ readonly stem: string; readonly result: PartResult }> {
  const { size, name, parentStem, mode, salt = '', vm = 'disk', changed = 0 } = of
  const session = uuid()
  const series = repository.series({ platform: 'image', scope: 'bench', vm })
  const nPages = Math.ceil(size / GiB)
  const parts = [{ part: 1, disk: 'disk', firstPage: 0, nPages }]
  const owner = uuid()
  await repository.openSession(
    { session, snap: uuid(), series, createdMs: Date.now(), parentStem, owner, parts, point: null },
    signal,
  )
  const result = await repository.copyPart({
    session,
    part: 1,
    attempt: 1,
    diskBytes: size,
    source: source(size, mode === 'full' ? 'all' : changed, salt),
    mode,
    signal,
    onProgress: () => undefined,
  })
  const { stem } = await repository.commit({
    session,
    attempt: 1,
    results: [{ part: 1, attempt: 1 }],
    vm: { id: vm, name: vm, platform: 'image', scope: 'bench', tags: [] },
    point: { origin: 'manual', startedMs: Date.now(), run: name },
    consistency: { level: 'crash', detail: '' },
    hypervisor: { platform: 'image', version: '', host: '' },
    disks: [{ id: 'disk', label: '', bytes: size, sectorSize: 512, changeRef: null, mode, why: '' }],
    configs: [],
    retention: { class: '', policy: '' },
    signal,
    onProgress: () => undefined,
  })
  await repository.endSession(session, 'committed')
  return { stem, result }
}
