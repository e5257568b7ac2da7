import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, toHoldfastError } from '../../base/index.ts'
import type { ChannelRow, DeliveryRow } from '../../catalog/index.ts'
import type { Message } from '../../notify/index.ts'
import type { ApiDeps, Sender } from '../deps.ts'
import { readEngineWithin } from '../facts.ts'
import { observe } from './observe.ts'
import { compose } from './tell.ts'

/**
 * Observes, composes and sends, again and again, in the server and without the engine. Everything it knows is in the catalog:
 * a message that a killed server had not sent is sent by the next one; at worst twice, never not at all.
 */
export interface AlertKeeper {
  /**
   * Waits for no channel: sends and pings go on beside it, one at a time for each channel, and end with the signal. A channel
   * that is still busy is left alone.
   */
  tick(signal: AbortSignal): Promise<void>
  /** Nothing is under way any more. */
  idle(): Promise<void>
  /** Until the signal; then nothing is under way any more. */
  run(signal: AbortSignal): Promise<void>
}

const everyMs = 20_000
/** What a dead-man service expects at least: three times as often as most are set to. */
const pingEveryMs = 5 * 60_000
const atOnce = 50
/** The engine may be the one that does not answer. */
const engineAnswersMs = 10_000

/** `steadyMs`: goes on whatever the machine's clock is set to. */
export function alertKeeper(deps: ApiDeps, steadyMs: () => number = () => performance.now()): AlertKeeper {
  const { catalog, now, log, sender } = deps
  const pingedMs = new Map<string, number>()
  const underWay = new Map<string, Promise<void>>()
  const begin = (name: string, work: () => Promise<void>): void => {
    if (underWay.has(name)) return
    const working = work()
      .catch((error: unknown) => log.error({ channel: name, error: describeError(error) }, 'alerts failed'))
      .finally(() => underWay.delete(name))
    underWay.set(name, working)
  }
  const idle = async (): Promise<void> => {
    while (underWay.size > 0) await Promise.all(underWay.values())
  }
  const tick = async (signal: AbortSignal): Promise<void> => {
    const engine = await readEngineWithin(deps, engineAnswersMs, signal)
    observe(deps, engine)
    const installation = catalog.installation.get().name
    const channels = catalog.alerts.channels()
    for (const channel of channels) compose(catalog, channel, installation, now())
    const mine = Map.groupBy(catalog.alerts.due(atOnce), (row) => row.channel)
    // One channel that hangs holds up neither the others nor the next look; within one, messages keep their order.
    for (const [name, rows] of mine) begin(`send/${name}`, () => sendAll(deps, sender, name, rows, signal))
    for (const channel of channels) begin(`ping/${channel.name}`, () => pingOne(channel, signal))
  }
  const pingOne = async (channel: ChannelRow, signal: AbortSignal): Promise<void> => {
    if (channel.kind !== 'dead-man' || !channel.enabled) return
    if (steadyMs() - (pingedMs.get(channel.name) ?? Number.NEGATIVE_INFINITY) < pingEveryMs) return
    try {
      await sender.ping(channel, signal)
      pingedMs.set(channel.name, steadyMs())
    } catch (error) {
      log.warn({ channel: channel.name, error: describeError(error) }, 'the dead-man service was not reached')
    }
  }
  return {
    tick,
    idle,
    async run(signal) {
      while (!signal.aborted) {
        await tick(signal).catch((error: unknown) => log.error({ error: describeError(error) }, 'alerts failed'))
        // Ends early with the signal, which is no error here: the loop looks at it.
        await Promise.allSettled([sleep(everyMs, undefined, { signal })])
      }
      await idle()
    },
  }
}

async function sendAll(
  { catalog, log }: ApiDeps,
  sender: Sender,
  name: string,
  rows: readonly DeliveryRow[],
  signal: AbortSignal,
): Promise<void> {
  for (const { id, message } of rows) {
    // Sending may take longer than a person needs to change the channel, or to turn it off.
    const channel = catalog.alerts.findChannel(name)
    if (channel === undefined || !channel.enabled || signal.aborted) return
    try {
      await sender.send(channel, message as unknown as Message, signal)
      catalog.alerts.recordSent(id)
    } catch (error) {
      if (signal.aborted) return
      const { code, message: what, hint, docs, retry, retryAfter } = toHoldfastError(error)
      if (code === 'MessageRefused') {
        // Again and again it would be refused, and the others of this channel would wait for it.
        catalog.alerts.recordRefused(id, { code, message: what, hint, docs })
        log.warn({ channel: name, code, error: what }, 'a notification was given up')
        continue
      }
      // A refusal is tried again as well, later: a person who mends the channel loses no message of that day.
      catalog.alerts.recordFailed(id, { code, message: what, hint, docs }, retryAfter ?? 0)
      log.warn({ channel: name, code, retry, error: what }, 'a notification was not sent')
      // The others of this channel would meet the same.
      return
    }
  }
}
