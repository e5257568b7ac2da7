import { randomBytes } from 'node:crypto'
import { HoldfastError } from '../base/index.ts'
import type { Engine } from './engine.ts'
import { names, ownerKind, parseName, toHex } from './format/index.ts'
import { openJson, protectJson } from './keys/index.ts'
import { getObject, listAll } from './store/index.ts'
import { putSmall } from './write/session-log.ts'

export interface SeriesOwner {
  /** Its UUID, 32 hex digits. */
  readonly installation: string
  /** For people. */
  readonly name: string
  readonly sinceMs: number
}
export interface SeriesOwners {
  /** Newest first; the first one protects the series. */
  readonly owners: readonly SeriesOwner[]
  /** Marks that do not count, with the reason: damaged, or written without keys. */
  readonly ignored: readonly { readonly object: string; readonly why: string }[]
}
export interface SeriesClaim {
  readonly series: string
  readonly installation: string
  readonly name: string
  /** Installations, by id or name, from which it is taken over on purpose. */
  readonly takeFrom?: readonly string[]
}

/**
 * Which installations have protected a series, newest first (§3.2, `own/`). A mark whose MAC does not hold, or that was put
 * under the name of another one, does not count (§3.3) and is listed in `ignored`. Throws what the store throws,
 * FormatUnsupported and KeyUnknown: what cannot be read now is not absent.
 */
export async function readOwners(engine: Engine, series: string, signal: AbortSignal): Promise<SeriesOwners> {
  const { store, ring } = engine
  const owners: SeriesOwner[] = []
  const ignored: { object: string; why: string }[] = []
  for (const { name } of await listAll(store, names.ownerPrefix(series))) {
    const parsed = parseName(name)
    if (parsed?.kind !== 'owner') continue
    // Nobody removes one: a name that is listed and has no object is a store that contradicts itself.
    const opened = openJson(ownerKind, await getObject(store, name, signal), ring, 'writer')
    if (opened.mac === 'unverifiable') {
      throw new HoldfastError('KeyUnknown', `${name} says who protects a series, and no key here can check it`)
    }
    const { counts } = opened
    if (!counts) ignored.push({ object: name, why: opened.why.message })
    else {
      const { repo, series: of, ms, installation, name: called } = opened.value
      if (repo !== ring.repo || of !== series || ms !== parsed.ms) {
        ignored.push({ object: name, why: 'it was written under another name' })
      } else owners.push({ installation, name: called, sinceMs: ms })
    }
  }
  for (const { object, why } of ignored) engine.warn(`${object} does not count: ${why}`)
  return { owners, ignored }
}

/**
 * Marks a series as ours, unless another installation has it; who has it now is returned. Publish, then look: of two that
 * mark a series for the first time at once at most one goes on. The later of them gives it back to the one that was there
 * before it had looked, for no mark is ever removed. Again: yes.
 */
export async function claimSeries(engine: Engine, claim: SeriesClaim, signal: AbortSignal): Promise<SeriesOwner> {
  const { series, installation, name } = claim
  const put = async (whose: Pick<SeriesOwner, 'installation' | 'name'>, after: number): Promise<void> => {
    const ms = Math.max(engine.clock(), after + 1)
    const fields = { repo: engine.ring.repo, series, installation: whose.installation, name: whose.name, ms }
    const at = names.owner(series, ms, toHex(randomBytes(8)))
    await putSmall(engine.store, at, protectJson(ownerKind, fields, engine.ring, 'writer'), signal)
  }
  const before = await readOwners(engine, series, signal)
  const [now] = before.owners
  if (now !== undefined) {
    const isOurs = now.installation === installation
    if (isOurs ? now.name === name : !isTakenFrom(claim, now)) return now
  }
  await put({ installation, name }, now?.sinceMs ?? 0)
  await engine.store.flush()
  const { owners } = await readOwners(engine, series, signal)
  const [newest] = owners
  if (newest === undefined) throw new HoldfastError('ListingIncomplete', `the mark on ${series} does not show`)
  const unseen = owners.filter((mark) => mark.installation !== installation && !before.owners.some(isSame(mark)))
  const [first] = unseen
  if (newest.installation !== installation || first === undefined || now !== undefined) return newest
  await put(first, newest.sinceMs)
  return first
}

/**
 * A copy of a series is protected by whoever protects the original. Throws ForeignOwner if another installation has the
 * series there, unless the original was taken over from it.
 */
export async function carryOwner(from: Engine, to: Engine, series: string, signal: AbortSignal): Promise<void> {
  const { owners } = await readOwners(from, series, signal)
  const [owner] = owners
  const takeFrom = owners.map(({ installation }) => installation)
  const there =
    owner === undefined
      ? undefined
      : await claimSeries(to, { series, installation: owner.installation, name: owner.name, takeFrom }, signal)
  if (owner === undefined || there === undefined || there.installation === owner.installation) return
  throw new HoldfastError(
    'ForeignOwner',
    `the series is protected by the installation ${there.name} there, and by ${owner.name} here`,
    {
      hint: `Let one of them protect the VM; to go on from here, back it up into that repository with --take-over-from ${there.name}.`,
      data: { series, owner: there.name },
    },
  )
}

function isTakenFrom({ takeFrom = [] }: SeriesClaim, { installation, name }: SeriesOwner): boolean {
  return takeFrom.includes(installation) || takeFrom.includes(name)
}

function isSame(one: SeriesOwner): (other: SeriesOwner) => boolean {
  return ({ installation, sinceMs }) => installation === one.installation && sinceMs === one.sinceMs
}
