/** What a worker can reach from where it is: each thing for itself, so that one that hangs hides no other. */
import { HoldfastError, locationText, toHoldfastError } from '../../base/index.ts'
import type { OpContext } from '../../drivers/index.ts'
import type { Reach, TestSiteInput, TestSiteResult } from '../../workflows/inventory/contract.ts'
import type { Site } from '../shared/deps.ts'
import { beating, lookOperation, restoreKeyOwner } from '../shared/operation.ts'

/** Whoever does not answer for so long is not reached, whatever it would say. */
const answerWithinMs = 20_000
const atATime = 16

interface Answer {
  readonly latencyMs: number
  readonly detail: string
  readonly place?: string
}
interface Attempt extends Pick<Reach, 'kind' | 'id' | 'name' | 'place'> {
  readonly reach: (signal: AbortSignal) => Promise<Answer>
}

/** The server, the hypervisors and the repositories of a site. Throws only when it is cancelled. */
export async function reachAll(site: Site, input: TestSiteInput): Promise<TestSiteResult> {
  return beating(site, async ({ signal }) => {
    const checks = await reachEach(site, input, signal)
    return { v: 1, worker: site.options.worker, checks, error: null }
  })
}

/** In the order of the input, the server first. Throws the reason of the signal, and nothing else. */
export async function reachEach(
  site: Site,
  input: TestSiteInput,
  signal: AbortSignal,
  withinMs = answerWithinMs,
): Promise<Reach[]> {
  const attempts = attemptsOf(site, input)
  const checks: Reach[] = []
  let next = 0
  const one = async (): Promise<void> => {
    for (let at = next++; at < attempts.length; at = next++) {
      const attempt = attempts[at]
      if (attempt !== undefined) checks[at] = await answered(attempt, signal, withinMs)
    }
  }
  await Promise.all(Array.from({ length: atATime }, one))
  return checks
}

function attemptsOf(site: Site, { hypervisors, repositories }: TestSiteInput): Attempt[] {
  const server: Attempt = {
    ...{ kind: 'server', id: null, name: 'Server', place: '' },
    reach: async (signal) => {
      const { url, latencyMs } = await site.options.reachServer(signal)
      return { latencyMs, detail: 'it knows the token of this worker', place: url }
    },
  }
  return [
    server,
    ...hypervisors.map(({ name, endpoint }): Attempt => ({
      ...{ kind: 'hypervisor', id: endpoint.id, name, place: endpoint.address },
      reach: async (signal) => {
        const ctx: OpContext = {
          // Nothing is made under it.
          opKey: site.opKey(restoreKeyOwner(endpoint), lookOperation),
          ...{ installation: site.tag, signal, log: site.log },
          progress: () => undefined,
          now: () => site.instant(),
        }
        return site.driver(endpoint, async (driver) => {
          const began = performance.now()
          const { version } = await driver.probe(ctx)
          return { latencyMs: performance.now() - began, detail: `version ${version}` }
        })
      },
    })),
    ...repositories.map((ref): Attempt => ({
      ...{ kind: 'repository', id: ref.id, name: ref.name, place: locationText(ref.location) },
      reach: async () => {
        const way = site.wayTo(ref.location)
        const latencyMs = await site.options.pingLocation(way)
        const uuid = await site.repository(ref, async ({ id }) => id)
        return {
          latencyMs,
          detail: `its secret opens it; it is ${uuid.slice(0, 8)}…${way === ref.location ? '' : ', through the proxy of the site'}`,
        }
      },
    })),
  ]
}

const lateCodes = {
  server: 'ServerUnreachable',
  hypervisor: 'HypervisorTimeout',
  repository: 'StoreUnavailable',
} as const

async function answered({ reach, ...what }: Attempt, signal: AbortSignal, withinMs: number): Promise<Reach> {
  signal.throwIfAborted()
  using ended = new DisposableStack()
  const over = Promise.withResolvers<never>()
  const late = (): void =>
    over.reject(new HoldfastError(lateCodes[what.kind], `${what.name} did not answer within ${withinMs / 1000} s`))
  const timer = setTimeout(late, withinMs)
  const stop = (): void => over.reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  ended.defer(() => clearTimeout(timer))
  ended.defer(() => signal.removeEventListener('abort', stop))
  try {
    const answer = reach(AbortSignal.any([signal, AbortSignal.timeout(withinMs)]))
    const { latencyMs, detail, place = what.place } = await Promise.race([answer, over.promise])
    return { ...what, place, latencyMs: Math.round(latencyMs * 10) / 10, detail, error: null }
  } catch (error) {
    signal.throwIfAborted()
    return { ...what, latencyMs: null, detail: '', error: toHoldfastError(error).toJSON() }
  }
}
