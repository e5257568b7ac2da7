import { names, parseName } from '../format/index.ts'
import { isWhole, mirror, type MirrorSide, type Writer } from '../mirror/index.ts'
import { isFormatProblem, loadManifest } from '../read/manifest.ts'
import { listAll } from '../store/index.ts'
import type { HealReport, PointEntry, Stem } from '../types.ts'

/**
 * Points whose manifest or validation is damaged or gone: their objects keep their names and cannot be written again, so a
 * mirror's copy is published here under a fresh snapUUID (§13). Their data are mostly here; only what is missing is stored.
 */
export async function healPoints(
  side: MirrorSide & { readonly writer: Writer },
  mirrors: readonly MirrorSide[],
  options: { readonly apply: boolean; readonly signal: AbortSignal },
): Promise<HealReport['damagedPoints']> {
  const healed: { stem: Stem; restoredAs: Stem | null; problem: string }[] = []
  for (const { entry, problem } of await damagedPoints(side, options.signal)) {
    healed.push({ stem: entry.stem, restoredAs: await restore(side, mirrors, entry, options), problem })
  }
  return healed
}

async function damagedPoints(
  { engine, points }: MirrorSide,
  signal: AbortSignal,
): Promise<{ readonly entry: PointEntry; readonly problem: string }[]> {
  const validations = new Set<string>()
  for (const { name } of await listAll(engine.store, 'snap/')) {
    const parsed = parseName(name)
    if (parsed?.kind === 'validated') validations.add(parsed.stem)
  }
  const damaged: { entry: PointEntry; problem: string }[] = []
  for await (const entry of points.list({ signal, unreadable: 'show' })) {
    const { stem, state } = entry
    if (state === 'manifest-lost') damaged.push({ entry, problem: `${names.snap(stem, 'manifest')} is gone` })
    else if (state === 'not-validated' && validations.has(stem)) {
      damaged.push({ entry, problem: `${names.snap(stem, 'validated')} does not count` })
    } else if (isWhole(entry)) {
      try {
        await loadManifest(engine.store, engine.ring, stem, signal)
      } catch (error) {
        if (!isFormatProblem(error)) throw error
        damaged.push({ entry, problem: error.message })
      }
    }
  }
  return damaged
}

/** The name of the copy; null: no mirror has the point. */
async function restore(
  side: MirrorSide & { readonly writer: Writer },
  mirrors: readonly MirrorSide[],
  { series, createdMs, snap }: PointEntry,
  { apply, signal }: { readonly apply: boolean; readonly signal: AbortSignal },
): Promise<Stem | null> {
  for (const from of mirrors) {
    for await (const entry of from.points.list({ series, signal, unreadable: 'show' })) {
      if (entry.createdMs !== createdMs || !isWhole(entry) || !(await isOf(from, entry, side, snap, signal))) continue
      const report = await mirror(from, side, {
        points: [entry.stem],
        dryRun: !apply,
        signal,
        onProgress: () => undefined,
      })
      const [point] = report.points
      if (point !== undefined && point.outcome !== 'failed') return point.target
    }
  }
  return null
}

/** A mirror keeps the snapUUID, or names it as its source. */
async function isOf(
  from: MirrorSide,
  entry: PointEntry,
  side: MirrorSide,
  snap: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (entry.snap === snap) return true
  try {
    const manifest = await loadManifest(from.engine.store, from.engine.ring, entry.stem, signal)
    const source = manifest?.body.json.source
    return source?.repo === side.engine.ring.repo && source.snap === snap
  } catch (error) {
    if (isFormatProblem(error)) return false
    throw error
  }
}
