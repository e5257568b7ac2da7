import { HoldfastError } from '../base/index.ts'
import { names, parseName, unionFeatures, type Features, type Fmt } from './format/index.ts'
import { openFeat, type KeyRing } from './keys/index.ts'
import { getWhole, listAll, type ObjectStore } from './store/index.ts'

/** §3.5: names of features that this version knows: none. */
const KNOWN: Features = { read: [], write: [], gc: [] }

/**
 * §3.5, §4.11: the union of `fmt` and all genuine `feat/` must be known. Reading needs `read`, writing needs `write` too.
 * An activation that is not genuine adds nothing and is reported.
 */
export async function requireFeatures(
  repository: {
    readonly fmt: Fmt
    readonly ring: KeyRing
    readonly store: ObjectStore
    readonly warn: (message: string) => void
  },
  use: 'read' | 'write',
  signal: AbortSignal,
): Promise<void> {
  const sets: Features[] = [repository.fmt.features]
  for (const { name } of await listAll(repository.store, 'feat/')) {
    if (parseName(name)?.kind !== 'feat') continue
    const bytes = await getWhole(repository.store, name, signal)
    if (bytes === undefined) continue
    const opened = openFeat(bytes, repository.ring.signers)
    if ('feat' in opened) sets.push(opened.feat.add)
    else repository.warn(`${name} is not a genuine activation: ${opened.why.message}`)
  }
  const all = unionFeatures(sets)
  const needed = use === 'read' ? all.read : [...all.read, ...all.write]
  const unknown = needed.filter((name) => !KNOWN.read.includes(name) && !KNOWN.write.includes(name))
  if (unknown.length > 0) {
    throw new HoldfastError('FormatUnsupported', `the repository uses ${unknown.join(', ')}, which this version cannot ${use}`, {
      data: { features: unknown, fmt: names.fmt(0) },
    })
  }
}
