import type { Command } from 'commander'
import { HoldfastError, parseBytes } from '../../base/index.ts'
import { ask, type ApiClient, type Schemas } from '../client/index.ts'
import type { Io } from '../io.ts'

/** What each verb file gives: its command, without anything loaded that only other verbs need. */
export type Verb = (io: (command: Command) => Io) => Command

/** Help begins with what one types most. */
export function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText('beforeAll', `Examples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`)
}

/** A whole number of an option. */
export function whole(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= min && value <= max) return value
    throw new HoldfastError('InvalidRequest', `${name} is a whole number from ${min} to ${max}, not ${text}`)
  }
}

/** A number of bytes of an option: `500GiB`. */
export function byteSize(name: string): (text: string) => number {
  return (text) => {
    const value = parseBytes(text)
    if (value !== undefined && value > 0) return value
    throw new HoldfastError('InvalidRequest', `${name} is a size such as 500GiB, not ${text}`)
  }
}

/** A day or a time of an option, as epoch ms. */
export function moment(name: string): (text: string) => number {
  return (text) => {
    const ms = Date.parse(text)
    if (Number.isNaN(ms))
      throw new HoldfastError('InvalidRequest', `${name} takes a day or a time, not “${text}”`, {
        hint: 'For example 2026-11-01, or 2026-11-01T12:00:00Z.',
      })
    return ms
  }
}

/** By id, else by exact name. Throws NotFound, and InvalidRequest where a name means several. */
export async function findVm(api: ApiClient, name: string): Promise<Schemas['VmDetail']> {
  if (/^[a-z0-9-]{1,64}$/.test(name)) {
    const { data, response } = await api.GET('/vms/{id}', { params: { path: { id: name } } })
    if (response.ok && data) return data
    if (response.status !== 404) await ask(api.GET('/vms/{id}', { params: { path: { id: name } } }))
  }
  const { items } = await ask(api.GET('/vms', { params: { query: { q: name, gone: 'show', limit: 200 } } }))
  const [match, ...others] = items.filter((vm) => vm.name === name)
  if (!match) throw new HoldfastError('NotFound', `there is no VM ${name}`, { hint: 'List them with `holdfast vms`.' })
  if (others.length > 0) {
    throw new HoldfastError(
      'InvalidRequest',
      `${others.length + 1} VMs are named ${name}: ${[match, ...others].map((vm) => vm.id).join(', ')}`,
      {
        hint: 'Use the id.',
      },
    )
  }
  return ask(api.GET('/vms/{id}', { params: { path: { id: match.id } } }))
}

/** A point of a VM: `latest`, its id or the beginning of it, or the time it stands at. */
export async function findPoint(api: ApiClient, vmId: string, name: string): Promise<Schemas['Point']> {
  if (name === 'latest') {
    const vm = await ask(api.GET('/vms/{id}', { params: { path: { id: vmId } } }))
    if (vm.newestPoint) return vm.newestPoint
    throw new HoldfastError('NotFound', `${vmId} has no validated point`, { hint: 'Back it up first.' })
  }
  const ms = Date.parse(name)
  const isId = /^[0-9a-f]{6,32}$/.test(name)
  if (!isId && Number.isNaN(ms)) {
    throw new HoldfastError('InvalidRequest', `not a point: ${name}`, {
      hint: 'Give `latest`, an id (six digits at least), or a time such as 2026-11-21T02:41:10Z.',
    })
  }
  const matches: Schemas['Point'][] = []
  let cursor: string | undefined
  do {
    const page = await ask(
      api.GET('/vms/{id}/points', {
        params: { path: { id: vmId }, query: { limit: 200, ...(cursor !== undefined && { cursor }) } },
      }),
    )
    matches.push(
      ...page.items.filter((point) => (isId ? point.id.startsWith(name) : Math.abs(point.createdMs - ms) < 1000)),
    )
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined && matches.length < 2)
  const [match, other] = matches
  if (!match)
    throw new HoldfastError('NotFound', `${vmId} has no point ${name}`, {
      hint: `List them with \`holdfast points ${vmId}\`.`,
    })
  if (other)
    throw new HoldfastError('InvalidRequest', `several points of ${vmId} are meant by ${name}`, {
      hint: 'Give more digits of the id.',
    })
  return match
}

/** A run's name in an address: workflow ids have slashes, which the client encodes. */
export function runPath(run: string): { params: { path: { run: string } } } {
  return { params: { path: { run } } }
}

interface Paged<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
  readonly total: number
}

/** Up to `limit` rows of a list, page by page. */
export async function listAll<T>(
  limit: number,
  read: (page: { limit: number; cursor?: string }) => Promise<Paged<T>>,
): Promise<{ items: T[]; total: number }> {
  const items: T[] = []
  let cursor: string | undefined
  for (;;) {
    const page = await read({ limit: Math.min(200, limit - items.length), ...(cursor !== undefined && { cursor }) })
    items.push(...page.items)
    if (page.nextCursor === null || items.length >= limit) return { items, total: page.total }
    cursor = page.nextCursor
  }
}

export function keyHeader(key: string | undefined): { header?: { 'idempotency-key': string } } {
  return key ? { header: { 'idempotency-key': key } } : {}
}
