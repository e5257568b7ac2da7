import { isHoldfastError } from '../../base/index.ts'
import type { KeySetContent } from '../format/index.ts'
import { createKeyRing } from '../keys/index.ts'
import { isFormatProblem, loadManifest } from '../read/manifest.ts'
import { Points } from '../read/points.ts'
import type { ObjectStore } from '../store/index.ts'
import type { ShredLoss, ShredPlan } from './types.ts'

/**
 * The points that the keys of a domain open, by series, whatever can be restored now: one that was tombstoned is restored on
 * request as long as its data last. Manifests are read without the keys of guest data, so this works after a shred as well.
 */
export async function pointsOfDomain(
  store: ObjectStore,
  content: KeySetContent,
  domain: string,
  signal: AbortSignal,
): Promise<Pick<ShredPlan, 'losses' | 'unreadable'>> {
  const ring = createKeyRing(content)
  const points = new Points({ store, connect: () => store, ring, warn: () => undefined })
  const losses = new Map<string, ShredLoss>()
  const unreadable: string[] = []
  for await (const { stem, series, createdMs, state, validatedMs } of points.list({ signal, unreadable: 'show' })) {
    // Never completed: nobody was promised anything.
    if (validatedMs === null && state !== 'unreadable') continue
    const manifest = await loadManifest(store, ring, stem, signal).catch((error: unknown) => {
      if (isFormatProblem(error) || (isHoldfastError(error) && error.code === 'KeyUnknown')) return undefined
      throw error
    })
    if (manifest === undefined) unreadable.push(stem)
    else if (manifest.body.json.domain === domain) {
      const { vm } = manifest.body.json
      // A listing is newest first inside a series.
      const known = losses.get(series) ?? { series, vm: vm.name, points: 0, oldestMs: createdMs, newestMs: createdMs }
      losses.set(series, { ...known, points: known.points + 1, oldestMs: createdMs })
    }
  }
  return { losses: [...losses.values()], unreadable }
}
