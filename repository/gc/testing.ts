import type { OpenedRepository } from '../repository.ts'
import { noSignal } from '../testing/index.ts'
import type { CollectOptions, CollectReport } from './types.ts'

/** `gc --now` of tests: no waiting times. */
export async function collectNow(
  repository: OpenedRepository,
  options: Partial<CollectOptions> = {},
): Promise<CollectReport> {
  return await repository.collect({ waits: 'none', signal: noSignal, onProgress: () => undefined, ...options })
}
