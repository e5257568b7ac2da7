import { HoldfastError } from '../../base/index.ts'
import { names, parseName, tombstoneKind } from '../format/index.ts'
import { openJson } from '../keys/index.ts'
import { getSmall } from '../read/manifest.ts'
import { listAll } from '../store/index.ts'
import type { PointEntry, Stem } from '../types.ts'
import type { KeyedContext } from './context.ts'

/**
 * Stems to check: those asked for, or every point that restores. What should restore and does not, or cannot be told, is in
 * the log. Throws NotFound for a stem that is asked for and not there.
 */
export async function choosePoints(
  context: KeyedContext,
  points: AsyncIterable<PointEntry>,
  stems: readonly Stem[] | undefined,
): Promise<Stem[]> {
  const { engine, log } = context
  const chosen: Stem[] = []
  const validations = new Set<string>()
  for (const { name } of await listAll(engine.store, 'snap/')) {
    const parsed = parseName(name)
    if (parsed?.kind === 'validated') validations.add(parsed.stem)
  }
  const left = { 'not-validated': 0, tombstoned: 0 }
  const seen = new Set<Stem>()
  const damaged = (stem: Stem, kind: 'manifest' | 'validated', message: string): void => {
    const object = names.snap(stem, kind)
    log.add({ pack: null, object, found: 'manifest', message, proved: true }).affect(stem, '', null)
  }
  for await (const { stem, state, validatedMs, unreadable } of points) {
    seen.add(stem)
    if (stems !== undefined && !stems.includes(stem)) continue
    if (unreadable !== undefined) {
      const message = `cannot be read now: ${unreadable.message}`
      log
        .add({ pack: null, object: unreadable.object, found: 'manifest', message, proved: false })
        .affect(stem, '', null)
      continue
    }
    if (stems !== undefined) continue
    if (state === 'manifest-lost') damaged(stem, 'manifest', 'the manifest is gone')
    else if (state === 'not-validated' || state === 'tombstoned') left[state] += 1
    else chosen.push(stem)
    if (state === 'tombstoned' || !validations.has(stem) || validatedMs !== null) continue
    // Pruned between the listing and this reading.
    if (state === 'not-validated' && !(await isMissed(context, stem))) continue
    damaged(stem, 'validated', 'the validation of this point does not count: damaged, forged, or for another manifest')
  }
  for (const [state, count] of Object.entries(left)) {
    if (count > 0) log.note(`${count} points that are ${state.replace('-', ' ')} were left out`)
  }
  if (stems !== undefined) {
    const missing = stems.find((stem) => !seen.has(stem))
    if (missing !== undefined) throw new HoldfastError('NotFound', `There is no point ${missing} in the repository.`)
    return [...new Set(stems)]
  }
  // A validation that does not count, of a manifest that is gone, is no point any more: nobody else would miss it.
  for (const stem of validations) {
    if (seen.has(stem) || !(await isMissed(context, stem))) continue
    damaged(stem, 'manifest', 'the manifest is gone, and the validation beside it is damaged or forged')
  }
  return chosen
}

/** Whether an `.ok` that is no point should be one: not if it is gone, nor if a `.t` that counts says so (§3.3). */
async function isMissed({ engine, reread, signal }: KeyedContext, stem: Stem): Promise<boolean> {
  const name = names.snap(stem, 'tombstone')
  const tombstone = await reread.read(name, async (store) => {
    const bytes = await getSmall(store, name, signal)
    return bytes && openJson(tombstoneKind, bytes, engine.ring, 'maintenance')
  })
  if (tombstone.sound && tombstone.value !== undefined && tombstone.value.mac !== 'bad') return false
  const object = names.snap(stem, 'validated')
  const there = await reread.read(object, (store) => store.head(object))
  return !there.sound || there.value !== undefined
}
