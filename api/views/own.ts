import type { z } from '@hono/zod-openapi'
import type { OwnBackupView } from '../../catalog/index.ts'
import { ownBackupState } from '../../policy/index.ts'
import type { ownBackupSchema } from '../schemas/own.ts'

export function ownBackupView(row: OwnBackupView, nowMs: number): z.infer<typeof ownBackupSchema> {
  const { repositoryId, repositoryName, madeMs, stem, bytes, versions, triedMs, error } = row
  return {
    repository: { id: repositoryId, name: repositoryName },
    state: ownBackupState({ nowMs, madeMs, hasFailed: error !== null }),
    madeMs,
    stem,
    bytes,
    versions,
    triedMs,
    error,
  }
}
