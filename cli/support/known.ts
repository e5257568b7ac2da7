import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toHoldfastError } from '../../base/index.ts'
import { ask, type ApiClient } from '../client/index.ts'
import type { Io } from '../io.ts'
import { knownSecrets, linesOf } from './redact.ts'

export interface Known {
  readonly secrets: readonly string[]
  /** What could not be known, in words. */
  readonly unknown: readonly string[]
}

/** Secrets of this home, and those that stand elsewhere and that hypervisors, repositories and channels name. */
export async function knownTo(io: Io, home: string): Promise<Known> {
  const unknown: string[] = []
  const secrets = new Set(knownSecrets(join(home, 'secrets')))
  for (const reference of await references(io, unknown)) {
    try {
      for (const line of linesOf(textOf(reference, io))) secrets.add(line)
    } catch (error) {
      const { message } = toHoldfastError(error)
      unknown.push(`what ${reference} stands for: ${message}`)
    }
  }
  return { secrets: [...secrets].sort((a, b) => b.length - a.length), unknown }
}

/** Whoever may read a file of others is shown it: here it is looked for, not used. */
function textOf(reference: string, io: Io): string {
  if (reference.startsWith('file:')) return readFileSync(reference.slice('file:'.length), 'utf8')
  const value = reference.startsWith('env:') ? io.world.env[reference.slice('env:'.length)] : undefined
  if (value === undefined) throw new Error('it is not known here')
  return value
}

/** By the catalog of this home, which says it also while the server is away, and by the server, which may be elsewhere. */
async function references(io: Io, unknown: string[]): Promise<Set<string>> {
  const found = new Set<string>()
  let isKnown = false
  try {
    const { homeOf, referencesIn } = await import('../../server/index.ts')
    const own = referencesIn(homeOf(io.world.env))
    isKnown = own !== null
    for (const reference of own ?? []) found.add(reference)
  } catch (error) {
    unknown.push(`which secrets the catalog names: ${toHoldfastError(error).message}`)
  }
  try {
    const api = io.api()
    const { items } = await ask(api.GET('/channels', {}))
    for (const { credentialRef } of [...items, ...(await listed(api))])
      if (typeof credentialRef === 'string' && credentialRef !== '') found.add(credentialRef)
  } catch (error) {
    if (!isKnown) unknown.push(`which secrets stand outside this home: ${toHoldfastError(error).message}`)
  }
  return found
}

async function listed(api: ApiClient): Promise<{ readonly credentialRef?: string | null }[]> {
  const all: { readonly credentialRef?: string | null }[] = []
  for (const path of ['/hypervisors', '/repositories'] as const) {
    for (let cursor: string | undefined; ;) {
      const page = await ask(api.GET(path, { params: { query: { limit: 200, ...(cursor && { cursor }) } } }))
      all.push(...page.items)
      if (page.nextCursor === null) break
      cursor = page.nextCursor
    }
  }
  return all
}
