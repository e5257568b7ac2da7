import { HoldfastError } from '../base/index.ts'
import { byteName, isPlainName, type ByteName } from './names.ts'
import type { VolumeKind, VolumeState } from './types.ts'

/** A volume as the micro-VM has found it. */
export interface FoundVolume {
  readonly id: string
  readonly kind: VolumeKind
  readonly state: VolumeState
  /** Number of its disk in the order they were handed in; null: it lies on several, or below another volume. */
  readonly disk: number | null
  readonly size: number
  /** `ext4`, `LVM2_member`, …, as libblkid names it; null: nothing that is known. */
  readonly type: string | null
  readonly label: string | null
  readonly uuid: string | null
  /** Of the partition, where its table gives one. */
  readonly partition: string | null
  /** Where it is in the micro-VM. */
  readonly mount: ByteName | null
  /** false: it was in use at the point, and what its journal holds is not replayed. */
  readonly isJournalReplayed: boolean
  /** In the words of whoever refused. */
  readonly error: string | null
}

const kinds: readonly VolumeKind[] = ['partition', 'disk', 'lv', 'md']
const states: readonly (VolumeState | 'other')[] = ['files', 'holder', 'empty', 'damaged', 'other']
const most = 1_000

/**
 * Reads `/run/volumes.txt`: lines `NAME=value`, a blank line behind each volume. What stands there is of the micro-VM, so
 * everything is checked; a volume that breaks the form is left out only with all others, by ProtocolMismatch.
 */
export function readVolumes(text: string): readonly FoundVolume[] {
  const blocks = text.split(/\n\n+/).filter((block) => block.trim() !== '')
  if (blocks.length > most) throw broken(`it has found ${blocks.length} volumes`)
  const volumes = blocks.map((block) => volumeOf(fieldsOf(block)))
  if (new Set(volumes.map(({ id }) => id)).size !== volumes.length) throw broken('two volumes have the same name')
  return volumes
}

function fieldsOf(block: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const line of block.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1))
  }
  return fields
}

function volumeOf(fields: ReadonlyMap<string, string>): FoundVolume {
  const id = fields.get('ID') ?? ''
  if (!/^[A-Za-z0-9+_.-]{1,256}$/.test(id)) throw broken('a volume of it has no name')
  const kind = kinds.find((one) => one === fields.get('KIND'))
  const state = states.find((one) => one === fields.get('STATE'))
  const sectors = Number(fields.get('SECTORS'))
  if (kind === undefined || state === undefined || !Number.isSafeInteger(sectors * 512))
    throw broken(`it says too little of ${id}`)
  const mount = fields.get('MOUNT')
  const place = mount === undefined ? null : byteName(Buffer.from(mount))
  if (state === 'files' && (place === null || !isPlainName(place.slice('/vol/'.length) as ByteName)))
    throw broken(`${id} is nowhere`)
  const type = plain(fields.get('ID_FS_TYPE'))
  return {
    ...{ id, kind, type, mount: place },
    state: state !== 'other' ? state : fields.get('ID_FS_USAGE') === 'crypto' ? 'encrypted' : 'unsupported',
    disk: /^d\d{1,3}$/.test(fields.get('DISK') ?? '') ? Number(fields.get('DISK')?.slice(1)) : null,
    size: sectors * 512,
    label: unescaped(fields.get('ID_FS_LABEL_ENC')),
    uuid: plain(fields.get('ID_FS_UUID_ENC')),
    partition: unescaped(fields.get('ID_PART_ENTRY_NAME')),
    isJournalReplayed: fields.get('JOURNAL') !== 'not-replayed',
    error: plain(fields.get('ERROR')),
  }
}

function plain(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 300)
}

/** libblkid writes `\xHH` for what is unsafe; the result is for people, and holds no control character. */
function unescaped(text: string | undefined): string | null {
  if (text === undefined || text === '') return null
  const bytes = text
    .slice(0, 2_000)
    .split(/(\\x[0-9a-f]{2})/)
    .map((part) => (/^\\x/.test(part) ? Buffer.from([Number.parseInt(part.slice(2), 16)]) : Buffer.from(part)))
  const label = Buffer.concat(bytes)
    .toString('utf8')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/gu, '?')
    .trim()
  return label === '' ? null : label.slice(0, 200)
}

function broken(what: string): HoldfastError {
  return new HoldfastError('ProtocolMismatch', `the micro-VM breaks the protocol: ${what}`)
}
