import { z } from 'zod'
import { HoldfastError } from '../../base/index.ts'
import { imageFormats } from '../../images/index.ts'
import type { PortableVm } from '../values.ts'

/** `image.json` in the VM's folder, or `<name>.json` beside the images. */
export const IMAGE_FILE = 'image.json'

const disk = z.strictObject({
  key: z.string().regex(/^[a-z][a-z0-9._:-]{0,39}$/),
  /** Absolute, or relative to the description's folder. */
  file: z.string().min(1).max(4096),
  format: z.enum(imageFormats),
  bootOrder: z.int().nonnegative().nullable().default(null),
})

const portable = z.object({
  v: z.literal(1),
  name: z.string(),
  vcpus: z.int().positive(),
  memory: z.int().positive(),
  firmware: z.enum(['bios', 'uefi', 'uefi-secure', 'direct-kernel']),
  tpm: z.boolean(),
  clock: z.enum(['utc', 'localtime']),
  disks: z.array(z.unknown()),
  nics: z.array(z.object({ mac: z.string(), model: z.string(), network: z.string(), vlan: z.int().nullable() })),
  guest: z.object({ family: z.enum(['linux', 'windows', 'other']), hint: z.string().nullable() }),
})

const description = z
  .strictObject({
    v: z.literal(1),
    name: z.string().min(1).max(128),
    disks: z.array(disk).min(1).max(64),
    tags: z.array(z.string().max(128)).default([]),
    /** The machine around the disks, where it is known. */
    portable: portable.nullable().default(null),
    /** The restore that is making this VM; null: it is nobody's but its owner's. */
    opKey: z.string().nullable().default(null),
    /** The restore that made this VM, kept as history. */
    restoredBy: z.string().nullable().default(null),
  })
  .superRefine((d, check) => {
    for (const field of ['key', 'file'] as const)
      if (new Set(d.disks.map((x) => x[field])).size !== d.disks.length)
        check.addIssue({ code: 'custom', message: `two disks have the same ${field}`, path: ['disks'] })
  })

export type ImageDescription = Omit<z.infer<typeof description>, 'portable'> & { readonly portable: PortableVm | null }

/** Throws `ConfigInvalid` naming each field that is wrong. */
export function parseImageDescription(text: string, origin: string): ImageDescription {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new HoldfastError('ConfigInvalid', `${origin} is not JSON`, { cause: error })
  }
  const parsed = description.safeParse(value)
  if (parsed.success) return parsed.data as ImageDescription
  const what = parsed.error.issues.map((i) => `${i.path.join('.') || 'the file'}: ${i.message}`).join('; ')
  throw new HoldfastError('ConfigInvalid', `${origin} does not describe images of a VM: ${what}`, {
    hint: `Correct the fields named in ${origin}.`,
  })
}

export function encodeImageDescription(d: ImageDescription): string {
  return `${JSON.stringify(d, null, 2)}\n`
}
