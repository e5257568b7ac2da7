import type { z } from '@hono/zod-openapi'
import type { MirrorState } from '../../catalog/index.ts'
import type { mirrorSchema } from '../schemas/mirrors.ts'

export function mirrorView({ oldestMs, ...state }: MirrorState, nowMs: number): z.infer<typeof mirrorSchema> {
  return { ...state, lagMs: oldestMs === null ? 0 : Math.max(0, nowMs - oldestMs) }
}
