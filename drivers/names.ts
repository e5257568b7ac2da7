import { createHash } from 'node:crypto'
import { HoldfastError } from '../base/index.ts'
import type { OpKey, PointId, TrackerId } from './values.ts'

/**
 * The only place that builds or reads the name of something on a hypervisor (drivers.md R17). Every name carries our
 * installation, so that nothing of somebody else's is ever taken for ours (R10), and every name of one operation is
 * derived from its opKey, so that a retry finds what an earlier attempt made (R1).
 */

/** RFC 4648 base32 in lower case: `[a-z2-7]`, five bits a character. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** QEMU: node names and ids are 32-byte fields with their NUL (drivers.md R17). */
export const MAX_NODE_NAME = 31
/** QEMU: BDRV_BITMAP_MAX_NAME_SIZE. */
export const MAX_BITMAP_NAME = 1023
/** unix(7): `sun_path` is 108 bytes with its NUL. */
export const MAX_SOCKET_PATH = 107

const installationForm = /^[a-z2-7]{6}$/
const opKeyForm = /^hf-([a-z2-7]{6})-[a-z2-7]{13}$/
const pointForm = /^[0-9a-f]{32}$/

/** First six characters of the installation's id, as `OpContext.installation` carries it. */
export function installationTag(installationId: string): string {
  return digest(['installation', installationId], 6)
}

/** Deterministic: every attempt of one operation on one VM has the same key, no other operation has it. */
export function opKeyFor(
  installation: string,
  vm: { readonly scope: string; readonly id: string },
  point: PointId,
): OpKey {
  requireInstallation(installation)
  requirePoint(point)
  return `hf-${installation}-${digest(['operation', installation, vm.scope, vm.id, point], 13)}` as OpKey
}

export function isOpKey(text: string): text is OpKey {
  return opKeyForm.test(text)
}

/** True if the key belongs to this installation; all else is somebody else's (R10). */
export function ownsOpKey(installation: string, text: string): text is OpKey {
  return opKeyForm.exec(text)?.[1] === installation
}

/** The installation that the key belongs to. */
export function installationOf(opKey: OpKey): string {
  return opKey.slice('hf-'.length, 'hf-'.length + 6)
}

/** Names of one disk in one operation; `n` is the number of the disk in the request, 0 … 999. */
export interface DiskNames {
  /** Scratch node. */
  readonly scratch: string
  /** Copy-before-write filter. */
  readonly filter: string
  /** Access node: the point as the reader sees it. */
  readonly access: string
  readonly job: string
  readonly export: string
  /** Export of the scratch, whose allocation tells what was saved. */
  readonly map: string
  /** Helper that lends its bitmap to the tail mark. */
  readonly seed: string
}

export function diskNames(opKey: OpKey, n: number): DiskNames {
  if (!Number.isInteger(n) || n < 0 || n > 999) throw new RangeError(`not a disk number: ${n}`)
  const name = (letter: string): string => `${opKey}.${letter}${n}`
  return {
    scratch: name('s'),
    filter: name('c'),
    access: name('a'),
    job: name('j'),
    export: name('e'),
    map: name('m'),
    seed: name('z'),
  }
}

/** Reads back what `diskNames` made; null for a name that is not ours at all. */
export function readDiskName(
  name: string,
): { readonly opKey: OpKey; readonly what: keyof DiskNames; readonly n: number } | null {
  const match = /^(hf-[a-z2-7]{6}-[a-z2-7]{13})\.([scajemz])(\d{1,3})$/.exec(name)
  const what = match && kinds[match[2] ?? '']
  return match && what ? { opKey: match[1] as OpKey, what, n: Number(match[3]) } : null
}
const kinds: { readonly [letter: string]: keyof DiskNames } = {
  s: 'scratch',
  c: 'filter',
  a: 'access',
  j: 'job',
  e: 'export',
  m: 'map',
  z: 'seed',
}

export function scratchFile(opKey: OpKey, n: number): string {
  return `${opKey}.${n}.qcow2`
}
/** Socket of the NBD server. Short: the folder in front of it counts too. */
export function socketFile(opKey: OpKey): string {
  return `${opKey}.sock`
}
/** What the round is, beside the VM, written before anything is made. */
export function roundFile(opKey: OpKey): string {
  return `${opKey}.round.json`
}

/** The VM's description as it was at the point. */
export function configFile(opKey: OpKey): string {
  return `${opKey}.config.json`
}

/** A volume that a restore makes; its name says whose it is, in the folder of a new VM and beside an old one. */
export function volumeFile(opKey: OpKey, n: number, format: string): string {
  return `${opKey}.v${n}.${format}`
}
export function readVolumeFile(name: string): OpKey | null {
  const opKey = /^(hf-[a-z2-7]{6}-[a-z2-7]{13})\.v\d{1,3}\.[a-z0-9]+$/.exec(name)?.[1]
  return opKey === undefined ? null : (opKey as OpKey)
}
/** What a restore is about to do here, until it is finalized or destroyed. */
export function targetFile(opKey: OpKey): string {
  return `${opKey}.target.json`
}
export function readTargetFile(name: string): OpKey | null {
  const opKey = /^(hf-[a-z2-7]{6}-[a-z2-7]{13})\.target\.json$/.exec(name)?.[1]
  return opKey === undefined ? null : (opKey as OpKey)
}
/** What a standby is, beside its `vm.json`: of several records that with the highest revision counts. */
export function standbyFile(opKey: OpKey, revision: number): string {
  return `${opKey}.standby.${revision}.json`
}
/** The revision; null: no record of this standby. */
export function readStandbyFile(opKey: OpKey, name: string): number | null {
  const revision = name.startsWith(`${opKey}.standby.`) ? /\.standby\.(\d{1,15})\.json$/.exec(name)?.[1] : undefined
  return revision === undefined ? null : Number(revision)
}
/** One disk of one state of a standby; `n`: the number of the disk in the state. */
export function replicaFile(opKey: OpKey, state: PointId, n: number): string {
  return `${opKey}.r${n}.${state}.qcow2`
}
/** What a guest writes that has taken over is kept apart from the state that it started from. */
export function takeoverFile(opKey: OpKey, operation: PointId, n: number): string {
  return `${opKey}.t${n}.${operation}.qcow2`
}
/** The takeover that such a file, or one that was to become it, belongs to. */
export function readTakeoverFile(opKey: OpKey, name: string): PointId | null {
  const operation = isReplicaFile(opKey, name) ? /^t\d{1,3}\.([0-9a-f]{32})\./.exec(name.slice(opKey.length + 1)) : null
  return (operation?.[1] as PointId | undefined) ?? null
}
/** Part of a standby's native configuration, by its content. */
export function replicaPartFile(opKey: OpKey, sha256: string, part: string): string {
  return `${opKey}.k.${sha256.slice(0, 16)}.${part}`
}
/** Files of a standby's states, whatever they are of. */
export function isReplicaFile(opKey: OpKey, name: string): boolean {
  return (
    name.startsWith(`${opKey}.`) &&
    /^(?:[rt]\d{1,3}\.[0-9a-f]{32}\.qcow2(?:\.[0-9a-f-]{36})?|k\.[0-9a-f]{16}\.[a-z]+)(?:\.new)?$/.test(
      name.slice(opKey.length + 1),
    )
  )
}
/** A test runs on the states of this standby: none of its files goes. */
export function pinFile(opKey: OpKey, test: OpKey): string {
  return `${opKey}.pin.${test}`
}
export function readPinFile(opKey: OpKey, name: string): OpKey | null {
  const test = name.startsWith(`${opKey}.pin.`) ? name.slice(opKey.length + '.pin.'.length) : ''
  return isOpKey(test) ? test : null
}
/** Folder of a new VM that has no name yet. */
export function stagingFolder(opKey: OpKey): string {
  return `.${opKey}`
}
export function readStagingFolder(name: string): OpKey | null {
  const opKey = name.startsWith('.') ? name.slice(1) : ''
  return isOpKey(opKey) ? opKey : null
}
/** Socket of the process through which a volume is written. */
export function writerSocket(opKey: OpKey, n: number): string {
  return `${opKey}.w${n}.sock`
}

/** Throws `ConfigInvalid` if a socket at this path could not be bound. */
export function socketPath(path: string): string {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path
  throw new HoldfastError('ConfigInvalid', `${path} is too long for a UNIX socket`, {
    hint: `Use a shorter folder: at most ${MAX_SOCKET_PATH} bytes with the name of the socket.`,
  })
}

/**
 * Bitmaps of one disk. The tracker's own (`record`) starts at the point and records all that changes after it; `tail`
 * marks the end of the disk as it was then; `frozen` holds what changed up to the point while the point is read.
 */
export interface BitmapNames {
  readonly record: string
  readonly tail: string
  readonly frozen: string
}
export type BitmapRole = keyof BitmapNames

/** Two trackers on one VM never share a bitmap: 40 bits of the tracker's digest are in the name. */
export function bitmapNames(installation: string, tracker: TrackerId, point: PointId): BitmapNames {
  requireInstallation(installation)
  requirePoint(point)
  const stem = `hf-${installation}-${trackerTag(tracker)}-${point}`
  return { record: stem, tail: `${stem}.tail`, frozen: `${stem}.frozen` }
}

export function trackerTag(tracker: TrackerId): string {
  return digest(['tracker', tracker], 8)
}

export interface BitmapName {
  readonly installation: string
  readonly tracker: string
  readonly point: PointId
  readonly role: BitmapRole
}

/** Reads back what `bitmapNames` made; null for any other name (Proxmox' own bitmap, libvirt's checkpoints, …). */
export function readBitmapName(name: string): BitmapName | null {
  const match = /^hf-([a-z2-7]{6})-([a-z2-7]{8})-([0-9a-f]{32})(?:\.(tail|frozen))?$/.exec(name)
  if (!match) return null
  const [, installation, tracker, point, role] = match
  if (installation === undefined || tracker === undefined || point === undefined) return null
  return { installation, tracker, point: point as PointId, role: (role as BitmapRole | undefined) ?? 'record' }
}

function requireInstallation(installation: string): void {
  if (!installationForm.test(installation))
    throw new HoldfastError('InvalidRequest', `not an installation tag: ${JSON.stringify(installation)}`, {
      hint: 'It has six characters of [a-z2-7]; build it with installationTag().',
    })
}

function requirePoint(point: string): void {
  if (!pointForm.test(point))
    throw new HoldfastError('InvalidRequest', `not a point id: ${JSON.stringify(point)}`, {
      hint: 'A point id is 32 lower-case hexadecimal digits.',
    })
}

/** `length` characters of the SHA-256 of the parts, which are separated by NUL and so cannot run into each other. */
function digest(parts: readonly string[], length: number): string {
  const hash = createHash('sha256').update(parts.join('\0')).digest()
  let bits = 0n
  for (const byte of hash.subarray(0, 16)) bits = (bits << 8n) | BigInt(byte)
  let out = ''
  for (let i = 0; i < length; i++) out += alphabet[Number((bits >> BigInt(128 - 5 * (i + 1))) & 31n)]
  return out
}
