import { mkdirSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Context } from '@temporalio/activity'
import { HoldfastError } from '../../base/index.ts'
import { removeCopy, type Catalog } from '../../catalog/index.ts'
import type { HousekeepingRecordActivities } from './types.ts'

/** A copy that nobody fetched within a day was left by a run that is gone. */
const leftAfterMs = 86_400_000

/** Copies of the catalog wait in `folder` until a site has fetched them. */
export function createHousekeepingRecordActivities(catalog: Catalog, folder: string): HousekeepingRecordActivities {
  return {
    copyCatalog: async ({ snap }) => {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      await removeLeft(folder)
      const context = Context.current()
      const onProgress = (): void => context.heartbeat()
      return catalog.own.copyTo(copyPath(folder, snap), { onProgress, signal: context.cancellationSignal })
    },
    dropCatalogCopy: async ({ snap }) => removeCopy(copyPath(folder, snap)),
    recordOwnBackup: async ({ repositoryId, ...made }) => catalog.own.recordMade(repositoryId, made),
    recordUsage: async ({ repositoryId, measuredMs, usage }) =>
      catalog.repositories.recordUsage(repositoryId, { measuredMs, ...usage }),
    recordUsageFailure: async ({ repositoryId, atMs, error: { code, message, hint, docs } }) =>
      catalog.repositories.recordUnmeasured(repositoryId, atMs, { code, message, hint, docs }),
    recordOwnBackupFailure: async ({ repositoryId, atMs, error: { code, message, hint, docs } }) =>
      catalog.own.recordFailed(repositoryId, atMs, { code, message, hint, docs }),
  }
}

function copyPath(folder: string, snap: string): string {
  if (!/^[0-9a-f]{32}$/.test(snap)) throw new HoldfastError('InvalidRequest', 'not the name of a copy of the catalog')
  return join(folder, `${snap}.db`)
}

async function removeLeft(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    if (Date.now() - (await modifiedMs(path)) > leftAfterMs) await removeCopy(path)
  }
}

/** Infinity for a file that somebody else has removed meanwhile. */
async function modifiedMs(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Number.POSITIVE_INFINITY
    throw error
  }
}
