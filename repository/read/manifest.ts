import { createHash } from 'node:crypto'
import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import {
  checkImageRoot,
  names,
  validatedKind,
  type ManifestBody,
  type ManifestHeader,
  type ObjectName,
  type Validated,
} from '../format/index.ts'
import { openJson, openManifest } from '../keys/index.ts'
import type { KeyRing } from '../keys/index.ts'
import { getWhole, listAll, type ObjectInfo, type ObjectStore } from '../store/index.ts'

/** A manifest with everything that can be checked without its pages (§4.4, §6.5). */
export interface LoadedManifest {
  readonly stem: string
  readonly header: ManifestHeader
  readonly body: ManifestBody
  /** Of the whole object. */
  readonly sha256: string
  readonly bytes: number
}

/** Reads and decodes `<stem>.m`; every imageRoot is recomputed. undefined if it is proved absent. */
export async function loadManifest(
  store: ObjectStore,
  ring: KeyRing,
  stem: string,
  signal: AbortSignal,
): Promise<LoadedManifest | undefined> {
  const object = await getWhole(store, names.snap(stem, 'manifest'), signal)
  return object === undefined ? undefined : decodeManifest(ring, stem, object)
}

export function decodeManifest(ring: KeyRing, stem: string, object: Uint8Array): LoadedManifest {
  const { header, body } = openManifest(ring, object, stem)
  for (const disk of body.json.disks) checkImageRoot(body, disk)
  const sha256 = createHash('sha256').update(object).digest('hex')
  return { stem, header, body, sha256, bytes: object.length }
}

/** What one LIST of a stem shows. */
export interface StemListing {
  readonly manifest: ObjectInfo | undefined
  readonly validated: boolean
  readonly tombstone: boolean
  readonly abandon: boolean
}

export async function listStem(store: ObjectStore, stem: string): Promise<StemListing> {
  const objects = await listAll(store, `${stem}.`)
  const has = (kind: 'validated' | 'tombstone' | 'abandon') =>
    objects.some(({ name }) => name === names.snap(stem, kind))
  return {
    manifest: objects.find(({ name }) => name === names.snap(stem, 'manifest')),
    validated: has('validated'),
    tombstone: has('tombstone'),
    abandon: has('abandon'),
  }
}

/**
 * The `.ok` if it counts for this manifest (§3.3): MAC, snap, mSha256 and mBytes hold. `why` if it does not. `manifest`
 * undefined: only MAC and snap can be checked. undefined: proved absent.
 */
export async function readValidated(
  store: ObjectStore,
  ring: KeyRing,
  stem: string,
  snap: string,
  manifest: { readonly sha256: string; readonly bytes: number } | undefined,
  signal: AbortSignal,
): Promise<{ readonly counts: Validated } | { readonly why: string } | undefined> {
  const bytes = await getSmall(store, names.snap(stem, 'validated'), signal)
  if (bytes === undefined) return undefined
  const opened = openJson(validatedKind, bytes, ring, 'writer')
  if (!opened.counts) return { why: opened.mac === 'bad' ? opened.why.message : 'no key to verify it with is held' }
  const { value } = opened
  if (value.snap !== snap) return { why: 'it is that of another snapshot' }
  if (manifest !== undefined && (value.mSha256 !== manifest.sha256 || value.mBytes !== manifest.bytes)) {
    return { why: 'it validates another manifest than the one that is there' }
  }
  return { counts: value }
}

/** A small object as it stands. What is larger than any of its kind is damaged, and so are no bytes at all. */
export async function getSmall(
  store: ObjectStore,
  name: ObjectName,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    return await getWhole(store, name, signal)
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'FormatError') return new Uint8Array(0)
    throw error
  }
}

/** Throws PointNotRestorable. */
export function notRestorable(stem: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError('PointNotRestorable', `${stem} ${why}`, { cause, data: { stem } })
}

export function isFormatProblem(error: unknown): error is HoldfastError {
  return isHoldfastError(error) && (error.code === 'FormatError' || error.code === 'FormatUnsupported')
}
