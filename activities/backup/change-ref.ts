import type { ChangeRef } from '../../drivers/values.ts'

/** As the manifest keeps it: `id` is the canonical JSON of the rest (rulings 4). */
export interface StoredRef {
  readonly kind: string
  readonly id: string
}

const maxBytes = 1024

/** null: there is nothing to build on, or it is too long to be kept; the next backup of the disk is full. */
export function storeRef(ref: ChangeRef | null): StoredRef | null {
  if (ref === null) return null
  const { kind, ...rest } = ref
  const id = JSON.stringify(rest, Object.keys(rest).sort())
  return Buffer.byteLength(id) <= maxBytes ? { kind, id } : null
}

/** null for everything that this version did not write: a reference is never guessed. */
export function parseRef(stored: StoredRef | null): ChangeRef | null {
  if (stored === null || !isKind(stored.kind)) return null
  let rest: unknown
  try {
    rest = JSON.parse(stored.id)
  } catch {
    return null
  }
  if (typeof rest !== 'object' || rest === null) return null
  const { point, tracker, token, epoch, volume, size } = rest as Partial<ChangeRef>
  const texts = [point, tracker, token, epoch, volume]
  if (!texts.every((text) => typeof text === 'string') || !Number.isSafeInteger(size) || (size ?? -1) < 0) return null
  return { kind: stored.kind, ...(rest as Omit<ChangeRef, 'kind'>) }
}

const kinds = [
  'qemu-bitmap',
  'pve-bitmap',
  'xapi-cbt',
  'vmware-cbt',
  'hyperv-rct',
  'ahv-snapshot',
  'azure-snapshot',
] as const
function isKind(kind: string): kind is ChangeRef['kind'] {
  return (kinds as readonly string[]).includes(kind)
}
