import type { z } from '@hono/zod-openapi'
import type { doctorSchema } from '../schemas/system.ts'

export type Doctor = z.infer<typeof doctorSchema>
export type Check = Doctor['checks'][number]
/** What a check says; its name is the caller's. */
export type Found = Omit<Check, 'id' | 'title'>

export const good = (detail: string): Found => ({ state: 'ok', detail, hint: null })
