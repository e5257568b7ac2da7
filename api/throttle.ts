import type { Context, MiddlewareHandler } from 'hono'
import { HoldfastError } from '../base/index.ts'
import type { ApiDeps } from './deps.ts'
import { sendProblem } from './problem.ts'

/** Wrong tokens that one address may try within the window, before it has to wait for the window's end. */
export const triesPerWindow = 10
const windowMs = 60_000
const addressesKept = 10_000

/**
 * Slows down who guesses tokens at the login. Only failures count, by the address of the connection: what a proxy says
 * about its clients could be invented by them. In memory, so a new start forgets.
 */
export function throttleLogins({ now }: Pick<ApiDeps, 'now'>): MiddlewareHandler {
  const windows = new Map<string, { readonly untilMs: number; failures: number }>()
  return async (context, next) => {
    if (context.req.method !== 'POST') return next()
    const address = addressOf(context)
    const open = windows.get(address)
    if (open && open.untilMs <= now()) windows.delete(address)
    else if (open && open.failures >= triesPerWindow) {
      const seconds = Math.ceil((open.untilMs - now()) / 1000)
      const error = new HoldfastError('Unauthorized', 'too many wrong tokens were given from this address', {
        hint: `Try again in ${seconds} s.`,
      })
      const response = sendProblem(context, error, 429)
      response.headers.set('retry-after', String(seconds))
      return response
    }
    await next()
    if (context.res.status !== 401) return
    const window = windows.get(address) ?? { untilMs: now() + windowMs, failures: 0 }
    window.failures += 1
    // The oldest goes: whoever has so many addresses is not slowed down by remembering them.
    if (!windows.has(address) && windows.size >= addressesKept) windows.delete(windows.keys().next().value ?? '')
    windows.set(address, window)
  }
}

/** As Node's server hands it over; requests that came through none share one. */
function addressOf({ env }: Context): string {
  const { incoming } = (env ?? {}) as { readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } } }
  return incoming?.socket?.remoteAddress ?? ''
}
