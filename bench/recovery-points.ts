import { randomBytes } from 'node:crypto'
import type { Repository } from '../repository/index.ts'

const id32 = (): string => randomBytes(16).toString('hex')

/** Whose points the measurement makes: nobody's, so that whoever rebuilds adopts them. */
const owner = 'ab'.repeat(16)
const scope = '11111111-2222-3333-4444-555555555555'
const platform = 'image'
const size = 1024 * 1024

/** Puts a point of one empty disk of 1 MiB, without a hypervisor: a thousand of them in seconds. */
export async function putPoint(
  repository: Repository,
  { vm, createdMs }: { readonly vm: string; readonly createdMs: number },
  signal: AbortSignal,
): Promise<void> {
  const session = id32()
  await repository.openSession(
    {
      session,
      snap: id32(),
      series: repository.series({ platform, scope, vm }),
      createdMs,
      parentStem: null,
      owner,
      parts: [{ part: 1, disk: 'disk0', firstPage: 0, nPages: 1 }],
      point: null,
    },
    signal,
  )
  const source = {
    size,
    readable: 'all' as const,
    maxInFlight: 1,
    extents: async function* (start: number, end: number) {
      yield { offset: start, length: end - start, kind: 'zero' as const }
    },
    read: async (_at: number, into: Uint8Array) => void into.fill(0),
  }
  const part = { session, part: 1, attempt: 1, diskBytes: size, source, mode: 'full' as const }
  await repository.copyPart({ ...part, signal, onProgress: () => undefined })
  const disk = { id: 'disk0', label: 'disk0', bytes: size, sectorSize: 512, changeRef: null }
  await repository.commit({
    session,
    attempt: 1,
    results: [{ part: 1, attempt: 1 }],
    vm: { id: vm, name: vm, platform, scope, tags: [] },
    point: { origin: 'manual', startedMs: createdMs, run: 'bench' },
    consistency: { level: 'crash', detail: JSON.stringify({ repositoryId: 'main' }) },
    hypervisor: { platform, version: '1', host: 'bench' },
    disks: [{ ...disk, mode: 'full', why: 'no-parent' }],
    configs: [],
    retention: { class: '', policy: '' },
    signal,
    onProgress: () => undefined,
  })
  await repository.endSession(session, 'committed')
}
