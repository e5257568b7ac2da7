import { z } from '@hono/zod-openapi'
import { imageFormats } from '../../images/types.ts'
import { byteCount, pointId, timeMs } from './common.ts'
import { tuningSchema } from './actions.ts'

/** The id of a session is that of its request: `files/<session>` is its run. */
export const sessionId = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .openapi({ description: 'File session, 32 hex digits' })

export const filesBody = z
  .object({
    pointId,
    disks: z
      .array(z.string().min(1).max(200))
      .min(1)
      .max(64)
      .nullable()
      .default(null)
      .openapi({ description: 'Keys of disks; null: all of them' }),
    view: z.enum(['files', 'disks']).default('files').openapi({
      description: 'disks: whole disks are taken as images, no micro-VM is started, and there are no files',
    }),
    idleMinutes: z
      .number()
      .int()
      .min(1)
      .max(12 * 60)
      .default(15)
      .openapi({ description: 'It closes by itself when nobody has asked for so long' }),
    reason: z.string().max(500).default(''),
    tuning: tuningSchema.default({}),
  })
  .openapi('FilesRequest')

export const endFilesBody = z.object({ reason: z.string().max(500).default('') }).openapi('FilesEnd')

const volumeText = z.string().min(1).max(300)
const pathText = z.string().min(1).max(16_384).openapi({
  description: 'From the root of the volume; a byte that is no text, and a backslash, is written as \\xHH',
  example: '/etc/hostname',
})

export const volumeSchema = z
  .object({
    id: volumeText,
    kind: z.enum(['partition', 'disk', 'lv', 'md']),
    state: z.enum(['files', 'holder', 'empty', 'encrypted', 'unsupported', 'damaged']).openapi({
      description: 'files: it can be browsed; holder: other volumes lie in it; damaged: it should open, and does not',
    }),
    disk: z.string().nullable().openapi({ description: 'Key of its disk; null: several, or another volume' }),
    size: byteCount,
    fileSystem: z.string().nullable(),
    label: z.string().nullable(),
    uuid: z.string().nullable(),
    isJournalReplayed: z.boolean().openapi({
      description: 'false: it was in use at the point; what only its journal held is not seen',
    }),
    error: z.string().nullable(),
  })
  .openapi('FileVolume')
export const volumesSchema = z.object({ items: z.array(volumeSchema) }).openapi('FileVolumes')

export const entrySchema = z
  .object({
    name: z.string(),
    path: z.string(),
    kind: z.enum(['file', 'folder', 'link', 'character-device', 'block-device', 'fifo', 'socket', 'unknown']),
    size: byteCount,
    mode: z.number().int().nonnegative().openapi({ description: 'Permissions with set-id and sticky bits' }),
    uid: z.number().int().nonnegative(),
    gid: z.number().int().nonnegative(),
    modifiedMs: timeMs,
    target: z.string().nullable().openapi({ description: 'Of a link that was asked for by itself' }),
  })
  .openapi('FileEntry')

export const entryPageSchema = z
  .object({
    items: z.array(entrySchema).openapi({ description: 'Folders first, then by name' }),
    next: z.number().int().nullable().openapi({ description: 'Where the next page begins; null: this was the last' }),
    total: z.number().int(),
    isComplete: z.boolean().openapi({ description: 'false: the folder has more names than are read' }),
  })
  .openapi('FilePage')

export const searchSchema = z
  .object({
    items: z.array(entrySchema),
    lookedAt: z.number().int().openapi({ description: 'Names that were looked at' }),
    isComplete: z.boolean().openapi({ description: 'false: it ended at a bound, or something could not be read' }),
    unreadable: z.number().int(),
  })
  .openapi('FileSearch')

export const placeQuery = z.object({ volume: volumeText, path: pathText.default('/') })
export const listQuery = placeQuery.extend({
  from: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
})
export const searchQuery = placeQuery.extend({
  q: z.string().min(1).max(200).openapi({ description: 'Part of the name, or a pattern with * and ?' }),
})
export const contentQuery = z
  .object({
    volume: volumeText,
    path: pathText,
    start: z.coerce.number().int().min(0).default(0),
    end: z.coerce.number().int().min(0).optional().openapi({ description: 'Byte behind the last; default: all' }),
  })
  .refine(({ start, end }) => end === undefined || end >= start, {
    path: ['end'],
    message: 'ends before it begins',
  })
/** What the run is given travels in one small message. */
const mostPlaces = 50
const placeText = z.string().min(1).max(1_000)
export const restoreFilesBody = z
  .object({
    volume: volumeText,
    paths: z.array(placeText).min(1).max(mostPlaces).openapi({ description: 'Files and folders of the volume' }),
    to: z
      .discriminatedUnion('kind', [
        z.object({ kind: z.literal('beside') }),
        z.object({
          kind: z.literal('folder'),
          folder: z
            .string()
            .max(1_000)
            .regex(/^\/[^\0]*$/)
            .refine((folder) => !folder.split('/').includes('..'), 'has ..')
            .openapi({ description: 'Absolute; made if it is not there' }),
        }),
        z.object({ kind: z.literal('replace') }),
      ])
      .default({ kind: 'beside' })
      .openapi({
        description:
          'beside: where they were, as NAME.restored-YYYYMMDDThhmm; folder: into this one, under their names, which must be free; replace: in the place of what is there, files and links only',
      }),
    confirmName: z.string().max(200).optional().openapi({ description: 'To replace: the name of the VM' }),
    reason: z.string().max(500).default(''),
    tuning: tuningSchema.default({}),
  })
  .openapi('FilesToGuestRequest')

export const imageQuery = z.object({
  disk: z.string().min(1).max(200).openapi({ description: 'Key of the disk' }),
  format: z.enum(imageFormats).default('qcow2').openapi({
    description:
      'raw: every byte, holes as zeros; qcow2; vmdk: stream-optimised, compressed; vhdx and vhd: dynamic. vmdk and vhd hold 2,040 GiB at most',
  }),
})
export const archiveQuery = z.object({
  volume: volumeText,
  path: z.union([pathText.transform((one) => [one]), z.array(pathText).min(1).max(500)]).openapi({
    type: 'array',
    items: { type: 'string' },
    description: 'Files and folders; may be given several times',
  }),
  format: z.enum(['tar', 'zip']).default('tar').openapi({
    description:
      'tar: with owners and names of any bytes; zip: at most 50,000 members, no owners, %HH in names that are no text',
  }),
})
