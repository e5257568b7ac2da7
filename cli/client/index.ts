/**
 * The typed client of the API, made from `api/openapi.json`, and the way to it: address and token from flags, from the
 * environment, or from HOLDFAST_HOME on the machine of the server. Every problem comes back as a HoldfastError.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import createClient, { type Client } from 'openapi-fetch'
import { describeError, HoldfastError, isErrorCode } from '../../base/index.ts'
import { homeFolder } from '../home.ts'
import type { components, paths } from './schema.gen.ts'

export type Schemas = components['schemas']
export type ApiClient = Client<paths>

export interface Connection {
  readonly server: string
  readonly token: string
}

type Env = { readonly [name: string]: string | undefined }

/** Undefined if the file is not there. */
function fileText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new HoldfastError('Unauthorized', `${path} cannot be read: ${describeError(error)}`, {
      cause: error,
      hint: 'Run this as the user of the server, or give --token.',
    })
  }
}

/** Where the server of this home says it is; it may have ended since. */
function announcedServer(home: string): string | undefined {
  const text = fileText(join(home, 'run', 'server.json'))
  if (text === undefined) return undefined
  try {
    const { address } = JSON.parse(text) as { readonly address?: unknown }
    return typeof address === 'string' ? address : undefined
  } catch (error) {
    throw new HoldfastError('ConfigInvalid', `${join(home, 'run', 'server.json')} is damaged`, {
      cause: error,
      hint: 'Give --server, or start the server again.',
    })
  }
}

/**
 * Flags first, then the environment, then the files of a server on this machine. The token in those files opens this
 * machine's server and is sent to no other.
 */
export function connectionOf(flags: { readonly server?: string; readonly token?: string }, env: Env): Connection {
  const home = homeFolder(env)
  const own = announcedServer(home) ?? `http://127.0.0.1:${env['HOLDFAST_PORT'] || '7420'}`
  const server = flags.server ?? env['HOLDFAST_SERVER'] ?? own
  if (!/^https?:\/\//.test(server) || !URL.canParse(server)) {
    throw new HoldfastError('InvalidRequest', `not the address of a server: ${server}`, {
      hint: 'For example http://127.0.0.1:7420',
    })
  }
  const tokenFile = join(home, 'secrets', 'admin-token')
  const isOwn = originOf(server) === originOf(own)
  const token = flags.token ?? env['HOLDFAST_TOKEN'] ?? (isOwn ? fileText(tokenFile) : undefined)
  if (!token) {
    throw new HoldfastError(
      'Unauthorized',
      isOwn
        ? 'no token was given, and there is none on this machine'
        : `no token was given for ${originOf(server)}; the one of this machine belongs to ${originOf(own)}`,
      { hint: `Give --token or HOLDFAST_TOKEN; the server keeps it in ${isOwn ? tokenFile : 'its own home folder'}.` },
    )
  }
  return { server: server.replace(/\/+$/, ''), token }
}

function originOf(address: string): string {
  const { protocol, hostname, port } = new URL(address)
  return `${protocol}//${hostname === 'localhost' ? '127.0.0.1' : hostname}${port && `:${port}`}`
}

export type Fetch = (request: Request) => Promise<Response>

/** `signal` ends what is under way; `fetch` is for tests. */
export function openClient(
  { server, token }: Connection,
  { signal, fetch: fetchWith = fetch }: { readonly signal?: AbortSignal; readonly fetch?: Fetch | undefined } = {},
): ApiClient {
  return createClient<paths>({
    baseUrl: `${server}/api/v1`,
    headers: { authorization: `Bearer ${token}` },
    fetch: async (request: Request) => {
      try {
        return await fetchWith(signal ? new Request(request, { signal }) : request)
      } catch (error) {
        throw new HoldfastError('ServerUnreachable', `the server at ${server} cannot be reached`, { cause: error })
      }
    },
  })
}

interface Answer<T> {
  readonly data?: T
  readonly error?: unknown
  readonly response: Response
}

/** The data of an answer, or its problem thrown. */
export async function ask<T>(answer: Promise<Answer<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await answer
  if (response.ok && data !== undefined && data !== null) return data
  throw problemError(error, response)
}

/** For what answers without data. */
export async function done(answer: Promise<Answer<unknown>>): Promise<void> {
  const { error, response } = await answer
  if (!response.ok) throw problemError(error, response)
}

function problemError(problem: unknown, response: Response): HoldfastError {
  const { code, detail, hint, data } = (typeof problem === 'object' && problem !== null ? problem : {}) as Partial<
    Schemas['Problem']
  >
  if (isErrorCode(code))
    return new HoldfastError(code, detail ?? code, { ...(hint && { hint }), ...(data && { data }) })
  return new HoldfastError(
    'ServerUnreachable',
    `${response.url || 'the server'} answered ${response.status}, not as Holdfast does`,
    {
      hint: 'Check that the address is the server’s and not something in between.',
    },
  )
}
