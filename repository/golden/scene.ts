import { createHash } from 'node:crypto'
import { GiB, MiB } from '../../base/index.ts'
import type { ConfigPart, Repository } from '../types.ts'
import { hashState, sourceOf, type Content, type DiskState } from './disks.ts'

const big = GiB + 3 * MiB + 512
const small = 5 * MiB + 512
/** Chunks 1 and 5 are equal, 9 is zero though the source says data; the second page is zero as a whole. */
const first = new Map([
  [0, { text: 'boot sector and more' }],
  [1, { text: 'the same words' }],
  [5, { text: 'the same words' }],
  [9, { zero: true as const }],
  [1023, { text: 'last chunk of the first page' }],
])
const second = new Map(first).set(5, { text: 'changed since' }).set(7, { text: 'new since' })
/** Two chunks, a zero one, two that were never allocated, and a short last one that does not compress. */
const still: DiskState = {
  bytes: small,
  allocated: 3 * MiB,
  chunks: new Map([
    [0, { text: 'one' }],
    [1, { text: 'two' }],
    [5, { noise: 'short last chunk' }],
  ]),
}

/** One point in time. `changed` names chunks by disk, where an incremental is stored. */
export interface ScenePoint {
  readonly createdMs: number
  readonly session: string
  readonly snap: string
  readonly mode: 'full' | 'incremental'
  readonly disks: { readonly [id: string]: DiskState }
  readonly changed?: { readonly [id: string]: readonly number[] }
}

const points: readonly [ScenePoint, ScenePoint] = [
  {
    createdMs: 1_700_000_000_000,
    session: '5e'.repeat(16),
    snap: 'a1'.repeat(16),
    mode: 'full',
    disks: { virtio0: { bytes: big, allocated: big, chunks: first }, virtio1: still },
  },
  {
    createdMs: 1_700_000_360_000,
    session: '5f'.repeat(16),
    snap: 'a2'.repeat(16),
    mode: 'incremental',
    disks: { virtio0: { bytes: big, allocated: big, chunks: second }, virtio1: still },
    changed: { virtio0: [5, 7], virtio1: [] },
  },
]

/** A point before the others, of which only what they have in common stays: its packs hold that, and more. */
export const passing: ScenePoint = {
  createdMs: 1_699_999_640_000,
  session: '5d'.repeat(16),
  snap: 'a0'.repeat(16),
  mode: 'full',
  disks: {
    virtio0: { bytes: big, allocated: big, chunks: and(first, [20, { noise: 'goes' }], [1024, { text: 'goes' }]) },
    virtio1: { ...still, chunks: and(still.chunks, [2, { noise: 'goes as well' }]) },
  },
}

function and(chunks: DiskState['chunks'], ...more: (readonly [number, Content])[]): DiskState['chunks'] {
  return new Map<number, Content>([...chunks, ...more])
}

/** A VM with two disks at two points in time: what the golden repository holds, and what small tests store. */
export const scene = {
  vm: { id: 'vm-7f3a', name: 'golden', platform: 'image', scope: 'golden', tags: ['golden'] },
  passphrase: 'a golden passphrase, Käse included',
  argon2: { m: 19_456, t: 1, p: 1 },
  points,
} as const

export function configsOf({ createdMs }: ScenePoint): ConfigPart[] {
  return [
    { name: 'vm.xml', type: 'native', content: Buffer.from(`<vm name="golden" at="${createdMs}"/>`) },
    { name: 'vm.json', type: 'portable', content: Buffer.from('{"name":"golden"}') },
    { name: 'nvram', type: 'firmware', content: Buffer.alloc(0) },
  ]
}

/** What a reader must find at a point: SHA-256 of each disk and configuration. */
export function expectedOf(point: ScenePoint): {
  disks: { [id: string]: string }
  configs: { [name: string]: string }
} {
  const disks = Object.entries(point.disks).map(([id, state]) => [id, hashState(state)] as const)
  const configs = configsOf(point).map(({ name, content }) => {
    return [
      name,
      createHash('sha256')
        .update(content as Uint8Array)
        .digest('hex'),
    ] as const
  })
  return { disks: Object.fromEntries(disks), configs: Object.fromEntries(configs) }
}

/** Stores one point of the scene. Returns its stem. */
export async function storePoint(
  repository: Repository,
  point: ScenePoint,
  parentStem: string | null,
): Promise<string> {
  const { signal } = new AbortController()
  const { id: vm, platform, scope } = scene.vm
  const disks = Object.entries(point.disks)
  const parts = disks.map(([disk, state], index) => {
    return { part: index + 1, disk, firstPage: 0, nPages: Math.ceil(state.bytes / GiB) }
  })
  const { session, snap, createdMs, mode } = point
  const series = repository.series({ platform, scope, vm })
  await repository.openSession(
    { session, snap, series, createdMs, parentStem, owner: '0f'.repeat(16), parts, point: { scene: 'golden' } },
    signal,
  )
  for (const [index, [disk, state]] of disks.entries()) {
    const changed = point.changed?.[disk]
    await repository.copyPart({
      session,
      part: index + 1,
      attempt: 1,
      diskBytes: state.bytes,
      source: sourceOf(state, changed),
      mode,
      signal,
      onProgress: () => undefined,
    })
  }
  const { stem } = await repository.commit({
    session,
    attempt: 1,
    results: parts.map(({ part }) => ({ part, attempt: 1 })),
    vm: scene.vm,
    point: { origin: 'manual', name: mode, startedMs: createdMs, run: 'golden' },
    consistency: { level: 'crash', detail: '' },
    hypervisor: { platform, version: '1', host: 'golden' },
    disks: disks.map(([id, state]) => ({
      id,
      label: id,
      bytes: state.bytes,
      sectorSize: 512,
      changeRef: { kind: 'golden', id: `{"at":${createdMs}}` },
      mode,
      why: mode === 'full' ? 'first' : '',
    })),
    configs: configsOf(point),
    retention: { class: 'golden', policy: 'golden' },
    signal,
    onProgress: () => undefined,
  })
  await repository.endSession(session, 'committed')
  return stem
}

/** Stores all points of the scene, each with the one before as its parent. Returns their stems. */
export async function storeScene(repository: Repository): Promise<string[]> {
  const stems: string[] = []
  for (const point of scene.points) stems.push(await storePoint(repository, point, stems.at(-1) ?? null))
  return stems
}
