import { createHash, randomBytes } from 'node:crypto'
import { HoldfastError, isHoldfastError, locationText } from '../base/index.ts'
import {
  defaultFmt,
  encodeFloor,
  MAX_LOCK_DAYS,
  names,
  parseName,
  toHex,
  type Fmt,
  type KeyEntry,
} from './format/index.ts'
import {
  createKeyRing,
  createKeys,
  encodeRecovery,
  parseRecovery,
  recordSigner,
  signFmt,
  unlock,
  type DerivePassphrase,
  type KeyObject,
  type KeyRing,
} from './keys/index.ts'
import {
  connectTo,
  foreignEntries,
  FULL_PROBE,
  getWhole,
  layOut,
  listAll,
  lockOf,
  probePlace,
  requireFit,
  type ObjectStore,
  type ProbeSize,
} from './store/index.ts'
import { deleteUnlessLocked, KeyAccess, makeSlot, putKeyObject, putSlot } from './key-admin/index.ts'
import { lockingConnect, Retention } from './lock/index.ts'
import { readFmt } from './objects.ts'
import { probeBytes, probeMembers } from './probing.ts'
import type { CreateOptions, ProbeReport, RepositoryLocation } from './types.ts'

const { signal } = new AbortController()

/** What `createRepository` takes besides, inside the room. */
export interface CreateInternals {
  /** A store that is ready, instead of the one at the location. */
  readonly connect?: () => ObjectStore
  readonly probeSize?: ProbeSize
  readonly clock?: () => number
  /** Argon2id; default: in a child process. */
  readonly derive?: DerivePassphrase
  /** The IDK that a mirror shares with the repository that it is of. */
  readonly identity?: KeyEntry
}

/**
 * §3.4: makes a repository. Slots and key sets are read back and opened before anything depends on them. `resume` completes
 * an init that was interrupted. The recovery key is shown once, here; it is stored nowhere.
 */
export async function createRepositoryWith(
  options: CreateOptions,
  internals: CreateInternals = {},
): Promise<{ readonly id: string; readonly recoveryKey: string }> {
  const { location, resume = false, onProgress = () => undefined } = options
  const lock = wishedLock(options)
  const bare = internals.connect ?? connectTo(location, { ...(lock && { lock: lock.mode }) })
  if (lock !== undefined && bare().capabilities.objectLock === 'none') throw cannotLock(location)
  if (options.passphrase === '') {
    throw new HoldfastError('ConfigInvalid', 'the passphrase of a repository must not be empty')
  }
  if (internals.connect === undefined) {
    const foreign = await foreignEntries(location)
    if (foreign.length > 0) throw await taken(location, foreign)
    await layOut(location)
  }
  const clock = internals.clock ?? Date.now
  const generationDays = options.lock?.generationDays ?? GENERATION_DAYS
  const retention = new Retention({ generationDays, ...(lock && { lock }) }, clock)
  const connect = lockingConnect(bare, retention)
  const store = connect()
  const begun = (await listAll(store, '')).filter(({ name }) => !name.startsWith('probe'))
  if (begun.length > 0 && !resume) {
    throw new HoldfastError(
      'RepositoryExists',
      `there is a repository in ${locationText(location)} already, or an init that was interrupted`,
      {
        hint: 'Choose an empty place, or complete an interrupted init with --resume.',
      },
    )
  }
  requireBeginning(
    locationText(location),
    begun.map(({ name }) => name),
  )
  onProgress('probing the store')
  const { degraded } = options
  const probe = await probePlace(location, connect, { size: internals.probeSize ?? FULL_PROBE, degraded })
  requireFit(probe, degraded)
  const existing = await readFmt(store)
  if (existing !== undefined) requireSameLock(existing.fmt, lock, generationDays)
  onProgress('writing and opening the key slots')
  const made =
    existing === undefined
      ? await begin(store, options, { probe, lock, generationDays }, clock(), internals)
      : await takeUp(store, existing.fmt, options, clock(), internals.derive)
  onProgress('completing the repository')
  await putAll(store, [
    { name: names.fmt(1), bytes: made.fmtBytes },
    { name: names.fmt(2), bytes: made.fmtBytes },
    { name: names.floor(1), bytes: encodeFloor({ repo: made.ring.repo, n: 1 }, recordSigner(made.ring)) },
    { name: names.probe(clock(), toHex(randomBytes(8))), bytes: probeBytes(made.ring.repo, probe, clock()) },
  ])
  return { id: made.ring.repo, recoveryKey: made.recoveryKey }
}

/** §4.11. */
const GENERATION_DAYS = 30

/** In the mode that the location names, else in the one that nobody can undo. Throws ConfigInvalid. */
function wishedLock({ location, lock }: CreateOptions): Fmt['lock'] {
  if (lock === undefined) return undefined
  const { days, generationDays = GENERATION_DAYS } = lock
  const isWhole = (n: number, most: number) => Number.isInteger(n) && n >= 1 && n <= most
  if (!isWhole(days, MAX_LOCK_DAYS) || !isWhole(generationDays, 3_650)) {
    throw new HoldfastError(
      'ConfigInvalid',
      `points cannot be locked for ${days} days in generations of ${generationDays}`,
      {
        hint: `Give 1 to ${MAX_LOCK_DAYS} days, and generations of 1 to 3650 days.`,
      },
    )
  }
  return { days, mode: lockOf(location) ?? 'compliance' }
}

function cannotLock(location: RepositoryLocation): HoldfastError {
  return new HoldfastError('ConfigInvalid', `${locationText(location)} cannot lock objects`, {
    hint: 'Immutable points need a bucket with Object Lock or an Azure container with version-level immutability; a directory can be mirrored into one.',
  })
}

/** An init goes on as it began: `fmt` is written once. */
function requireSameLock(fmt: Fmt, lock: Fmt['lock'], generationDays: number): void {
  const isSame = fmt.lock?.days === lock?.days && fmt.lock?.mode === lock?.mode
  if (isSame && (lock === undefined || fmt.generationDays === generationDays)) return
  const was =
    fmt.lock === undefined ? 'without a lock' : `with a lock of ${fmt.lock.days} days in ${fmt.lock.mode} mode`
  throw new HoldfastError('RepositoryExists', `the init that was interrupted began ${was}`, {
    hint: 'Resume it with the same options, or choose an empty place.',
  })
}

interface Made {
  readonly ring: KeyRing
  readonly fmtBytes: Uint8Array
  readonly recoveryKey: string
}

/** Steps 3 and 4. Key objects that an interrupted init left behind carry another repository id and are ignored. */
async function begin(
  store: ObjectStore,
  options: CreateOptions,
  settled: { readonly probe: ProbeReport; readonly lock: Fmt['lock']; readonly generationDays: number },
  ms: number,
  { derive, identity }: CreateInternals,
): Promise<Made> {
  const { probe, lock, generationDays } = settled
  const repo = toHex(randomBytes(16))
  const domain = identity?.domain ?? toHex(randomBytes(16))
  const { passphrase, argon2 } = options
  const keys = await createKeys({
    repo,
    domain,
    passphrase,
    ms,
    ...(identity && { identity }),
    ...(argon2 && { argon2 }),
    ...(derive && { derive }),
  })
  await putAndOpen(store, repo, keys.objects, passphrase, keys.recoveryText, derive)
  const ring = createKeyRing(keys.content)
  const sig = keys.content.keys.find(({ no }) => no === keys.content.current.SIG)
  const fmt = defaultFmt({
    repo,
    createdMs: ms,
    domains: [domain],
    probe: probeMembers(probe, ms),
    signer: sig?.pub ?? '',
    generationDays,
    ...(lock && { lock }),
  })
  const fmtBytes = signFmt(fmt, ring)
  await put(store, names.fmt(0), fmtBytes)
  const there = await getWhole(store, names.fmt(0), signal)
  if (there === undefined || Buffer.compare(there, fmtBytes) !== 0) {
    throw new HoldfastError('RepositoryExists', 'another init at the same place was faster')
  }
  return { ring, fmtBytes, recoveryKey: keys.recoveryText }
}

/**
 * An init that got as far as `fmt`. Its recovery key was never shown, so a new slot takes the place of the one that
 * nobody can open: written, read back and opened before the old one goes.
 */
async function takeUp(
  store: ObjectStore,
  fmt: Fmt,
  options: CreateOptions,
  ms: number,
  derive: DerivePassphrase | undefined,
): Promise<Made> {
  const { repo } = fmt
  const secret = { kind: 'passphrase', passphrase: options.passphrase } as const
  using access = new KeyAccess(store, repo, secret, { derive })
  const { inventory, role, kekGen, kek, content } = await access.read()
  const wish = { type: 'recovery', label: 'recovery key' } as const
  const made = await makeSlot(wish, { repo, kekGen, role, ms }, kek, derive)
  await putSlot(store, made, repo, kek, derive, signal)
  // Where objects are locked it stays: nobody knows what opens it.
  for (const { name, slot } of inventory.slots) if (slot.type === 'recovery') await deleteUnlessLocked(store, name)
  const fmtBytes = await getWhole(store, names.fmt(0), signal)
  if (fmtBytes === undefined) throw new HoldfastError('RepositoryMissing', 'fmt was there and is gone')
  return { ring: createKeyRing(content), fmtBytes, recoveryKey: made.printed?.texts[0] ?? '' }
}

/** Lesson 30: every slot and set is put, read back from the store, compared and opened. */
async function putAndOpen(
  store: ObjectStore,
  repo: string,
  objects: readonly KeyObject[],
  passphrase: string,
  recoveryText: string,
  derive: DerivePassphrase | undefined,
): Promise<void> {
  for (const object of objects) await putKeyObject(store, object, signal)
  await unlock(objects, repo, { kind: 'passphrase', passphrase }, derive)
  await unlock(objects, repo, { kind: 'recovery', text: toHexText(recoveryText) })
}

/** As a person types it in: the text must survive the way it is printed. */
function toHexText(text: string): string {
  return encodeRecovery(parseRecovery(text))
}

async function putAll(store: ObjectStore, objects: readonly KeyObject[]): Promise<void> {
  for (const { name, bytes } of objects) await put(store, name, bytes)
}

async function put(store: ObjectStore, name: string, bytes: Uint8Array): Promise<void> {
  await store.putIfAbsent(name, bytes, { sha256: createHash('sha256').update(bytes).digest(), signal })
}

/** §3.4: resuming is for what init itself has made. */
function requireBeginning(place: string, present: readonly string[]): void {
  const beyond = present.find((name) => {
    const parsed = parseName(name)
    if (parsed?.kind === 'floor') return parsed.n !== 1
    return parsed?.kind !== 'fmt' && parsed?.kind !== 'key-slot' && parsed?.kind !== 'key-set'
  })
  const complete = present.includes(names.floor(1))
  if (beyond === undefined && !complete) return
  throw new HoldfastError(
    'RepositoryExists',
    `the repository in ${place} is complete${beyond === undefined ? '' : ` and in use: ${beyond}`}`,
  )
}

async function taken(location: RepositoryLocation, foreign: readonly string[]): Promise<HoldfastError> {
  const place = locationText(location)
  const repository = await readFmt(connectTo(location)()).catch((error: unknown) => {
    if (isHoldfastError(error)) return undefined
    throw error
  })
  if (repository !== undefined)
    return new HoldfastError('RepositoryExists', `there is a repository in ${place} already`)
  return new HoldfastError('RepositoryForeign', `${place} is not empty: ${foreign.slice(0, 5).join(', ')}`)
}
