import { MiB } from '../../base/index.ts'
import { names, tombstoneKind } from '../format/index.ts'
import { protectJson } from '../keys/index.ts'
import type { OpenedRepository } from '../repository.ts'
import { ModelDisk, noSignal, seededBytes, type MemoryBucket } from '../testing/index.ts'
import type { CollectOptions, CollectReport } from './types.ts'

/** `gc --now` of tests: no waiting times. */
export async function collectNow(
  repository: OpenedRepository,
  options: Partial<CollectOptions> = {},
): Promise<CollectReport> {
  return await repository.collect({ waits: 'none', signal: noSignal, onProgress: () => undefined, ...options })
}

/** A small disk of two chunks; another seed shares none of them. */
export function twoChunks(seed: number): ModelDisk {
  const model = new ModelDisk(2 * MiB)
  model.write(0, seededBytes(seed, 4096))
  model.write(MiB, seededBytes(seed + 1, 4096))
  return model
}

/** Puts a `.t`, as the pruner does, without any of its guards. */
export function bury(bucket: MemoryBucket, repository: OpenedRepository, stem: string): void {
  const { ring } = repository.engine
  const fields = { repo: ring.repo, snap: stem.slice(-32), reason: 'operator', actor: 'test', decidedMs: 1 } as const
  bucket.set(names.snap(stem, 'tombstone'), protectJson(tombstoneKind, fields, ring, 'maintenance'))
}
