import { HoldfastError } from '../../base/index.ts'
import type { KeyEntry, KeySetContent } from '../format/index.ts'
import type { KeyAccess, KeyState } from './access.ts'
import { changeSets } from './settle.ts'
import { pointsOfDomain } from './shred-losses.ts'
import type { ShredPlan } from './types.ts'

/**
 * §5.6: takes the DEKs of a domain out of the sets and deletes every older set. The IDK stays: ids can be computed, and
 * nothing can be read with it. Done only when no other set is left; interrupted before that, the keys are still there and
 * the same call goes on.
 */
export async function shredDomain(
  access: KeyAccess,
  wish: {
    readonly domain: string
    readonly confirm: string | undefined
    readonly ms: number
    readonly signal: AbortSignal
  },
): Promise<ShredPlan> {
  const { domain, confirm, ms, signal } = wish
  const state = await access.readForChange()
  const plan = await planOf(access, state, domain, signal)
  if (confirm === undefined) return plan
  if (confirm !== domain) {
    throw new HoldfastError('InvalidRequest', 'the confirmation is not the id of the domain', {
      hint: 'Repeat the id of the domain whose data is to be destroyed for ever.',
    })
  }
  requireUnblocked(plan.blockedBy)
  await requireUnlocked(access, state)
  const isDropped = ({ type, domain: of }: KeyEntry) => type === 'DEK' && of === domain
  const change = (now: KeySetContent): KeySetContent => {
    const { [domain]: _, ...DEK } = now.current.DEK
    return { ...now, keys: now.keys.filter((key) => !isDropped(key)), current: { ...now.current, DEK } }
  }
  const { left } = await changeSets({ access, change, isDropped, ms, signal })
  requireUnblocked(left)
  return { ...plan, done: true }
}

async function planOf(
  access: KeyAccess,
  { content, inventory, unopened }: KeyState,
  domain: string,
  signal: AbortSignal,
): Promise<ShredPlan> {
  const keys = content.keys.filter(({ type, domain: of }) => type === 'DEK' && of === domain).map(({ no }) => no)
  if (content.current.IDK[domain] === undefined) {
    throw new HoldfastError('NotFound', `the repository has no domain ${domain}`, {
      hint: `It has ${Object.keys(content.current.IDK).join(', ')}.`,
    })
  }
  const damaged = inventory.damaged.map(({ name }) => name).filter((name) => name.includes('-set-'))
  const unsupported = inventory.unsupported.filter((name) => name.includes('-set-'))
  return {
    domain,
    ...(await pointsOfDomain(access.store, content, domain, signal)),
    keys,
    isWritten: content.current.DEK[domain] !== undefined,
    blockedBy: [...new Set([...unopened, ...damaged, ...unsupported])],
    isVersioned: access.store.capabilities.versioned,
    done: false,
  }
}

/** §11.5: a key set under retention holds the keys for as long as that lasts, whatever newer ones say. */
async function requireUnlocked({ store }: KeyAccess, { inventory }: KeyState): Promise<void> {
  if (store.capabilities.objectLock === 'none') return
  const now = await store.now()
  for (const { name } of inventory.sets) {
    const until = (await store.head(name))?.retainUntil ?? 0
    if (until <= now) continue
    const when = new Date(until).toISOString()
    throw new HoldfastError('StoreLocked', `${name} holds the keys and is under retention until ${when}`, {
      hint: 'Nothing was changed. Each backup extends it with the points that it opens: end the backups first, and come back when the last retention is over.',
      data: { object: name },
    })
  }
}

function requireUnblocked(names: readonly string[]): void {
  if (names.length === 0) return
  throw new HoldfastError(
    'KeysDamaged',
    `these key objects cannot be opened and may hold the keys: ${names.join(', ')}`,
    {
      hint: 'End an interrupted rotation with `holdfast repo key repair`; remove what is damaged with `holdfast repo key remove`.',
      data: { blockedBy: names },
    },
  )
}
