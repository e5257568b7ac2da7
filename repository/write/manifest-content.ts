import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import {
  CHUNK_SHIFT,
  encodeManifestBody,
  imageRoot,
  MANIFEST_MIRRORED,
  MANIFEST_NO_DISKS,
  NO_PARENT,
  PAGE_BYTES,
  parseStem,
  type ManifestConfig,
  type ManifestDisk,
  type ManifestJson,
  type RootEntry,
} from '../format/index.ts'
import { sealManifest } from '../keys/index.ts'
import packageJson from '../../package.json' with { type: 'json' }
import type { CommitOptions, MirrorSource, SessionSpec } from '../types.ts'

/** Result of one part as the commit uses it. */
export interface PartRoots {
  readonly part: number
  readonly disk: string
  readonly firstPage: number
  readonly roots: readonly RootEntry[]
  readonly readBytes: number
  readonly newBytes: number
}

/** §4.4: the whole object `.m`, from the results of all parts. */
export function encodeManifest(
  engine: Engine,
  spec: SessionSpec,
  options: CommitOptions,
  content: {
    readonly parts: readonly PartRoots[]
    readonly configs: readonly ManifestConfig[]
    /** Smallest stamp of the session's own uploads, or that of S0. */
    readonly stampEpoch: number
    /** §11.5; 0: not locked. */
    readonly lockUntilSec: number
  },
): Buffer {
  const roots: RootEntry[] = []
  const disks = options.disks.map((disk) => {
    const mine = rootsOf(disk, content.parts)
    const rootIndex = roots.length
    for (const root of mine.roots) roots.push(root)
    return manifestDisk(disk, rootIndex, mine)
  })
  const unused = content.parts.find((part) => !options.disks.some(({ id }) => id === part.disk))
  if (unused !== undefined) throw invalid(`part ${unused.part} is of disk ${unused.disk}, which is not in the point`)
  const { mirrored } = options
  const { lockUntilSec } = content
  const lockMode = lockUntilSec === 0 ? 'none' : (engine.retention.lock?.mode ?? 'none')
  const source = mirrored && sourceOf(mirrored)
  const json: ManifestJson = {
    v: 1,
    domain: engine.ring.domain,
    vm: { ...options.vm, tags: [...options.vm.tags] },
    point: { ...options.point, frozenMs: spec.createdMs, finishedMs: mirrored?.finishedMs ?? engine.clock() },
    consistency: { ...options.consistency },
    hypervisor: { ...options.hypervisor },
    disks,
    configs: [...content.configs],
    retention: { ...options.retention, lockUntilSec, lockMode, hold: false },
    ...(source && { source }),
    tool: { name: 'holdfast', version: packageJson.version },
  }
  const header = {
    flags: (disks.length === 0 ? MANIFEST_NO_DISKS : 0) | (source === undefined ? 0 : MANIFEST_MIRRORED),
    snap: spec.snap,
    series: spec.series,
    createdMs: spec.createdMs,
    stampEpoch: content.stampEpoch,
    parent: spec.parentStem === null ? NO_PARENT : parseStem(spec.parentStem).snap,
    lockUntilSec,
  }
  return sealManifest(engine.ring, header, encodeManifestBody(json, roots))
}

/** The parts of a disk must cover its pages without gap or overlap. */
function rootsOf(
  disk: CommitOptions['disks'][number],
  parts: readonly PartRoots[],
): Omit<PartRoots, 'part' | 'disk' | 'firstPage'> {
  const mine = parts.filter((part) => part.disk === disk.id).sort((a, b) => a.firstPage - b.firstPage)
  const roots: RootEntry[] = []
  let readBytes = 0
  let newBytes = 0
  for (const part of mine) {
    if (part.firstPage !== roots.length) throw invalid(`the parts of disk ${disk.id} do not follow each other`)
    for (const root of part.roots) roots.push(root)
    readBytes += part.readBytes
    newBytes += part.newBytes
  }
  if (roots.length !== Math.ceil(disk.bytes / PAGE_BYTES)) {
    throw invalid(`the parts of disk ${disk.id} have ${roots.length} pages for ${disk.bytes} bytes`)
  }
  return { roots, readBytes, newBytes }
}

function manifestDisk(
  disk: CommitOptions['disks'][number],
  rootIndex: number,
  { roots, readBytes, newBytes }: Omit<PartRoots, 'part' | 'disk' | 'firstPage'>,
): ManifestDisk {
  return {
    id: disk.id,
    label: disk.label,
    bytes: disk.bytes,
    sectorSize: disk.sectorSize,
    shiftDefault: CHUNK_SHIFT,
    rootIndex,
    nPages: roots.length,
    imageRoot: imageRoot(disk.bytes, roots),
    changeRef: disk.changeRef && { ...disk.changeRef },
    mode: disk.mode,
    why: disk.why,
    readBytes,
    newBytes,
  }
}

function sourceOf({ repo, snap, createdMs, retentionMs }: MirrorSource): ManifestJson['source'] {
  return { repo, snap, createdMs, retentionMs }
}

function invalid(why: string): HoldfastError {
  return new HoldfastError('SessionInvalid', `the point cannot be committed: ${why}`, { data: { side: 'logic' } })
}
