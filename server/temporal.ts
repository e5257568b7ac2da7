import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Runtime } from '@temporalio/worker'
import type { LogLevel, Logger } from '@temporalio/worker'
import { HoldfastError, describeError } from '../base/index.ts'
import type { Log } from '../activities/index.ts'
import type { Environment, TemporalTarget } from './config.ts'
import { resolveSecret } from './secrets.ts'

const connectWithinMs = 60_000

/** Once per process, before any connection: logs of the engine go where ours go, signals are handled by us. */
export function installRuntime(log: Log, env: Environment = process.env): void {
  const metrics = env['HOLDFAST_METRICS_ADDRESS']
  Runtime.install({
    logger: engineLogger(log),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
      ...(metrics && {
        metrics: {
          prometheus: {
            bindAddress: metrics,
            countersTotalSuffix: true,
            unitSuffix: true,
            useSecondsForDurations: true,
          },
        },
      }),
    },
  })
}

interface Options {
  readonly address: string
  readonly tls?: boolean
  readonly apiKey?: string
}

async function optionsOf(target: TemporalTarget): Promise<Options> {
  const apiKey = target.apiKeyRef === null ? null : await resolveSecret(target.apiKeyRef)
  return { address: target.address, ...(target.tls && { tls: true }), ...(apiKey !== null && { apiKey }) }
}

/** For workers. */
export async function connectWorker(target: TemporalTarget, signal: AbortSignal): Promise<NativeConnection> {
  const options = await optionsOf(target)
  return persistently(target, signal, () => NativeConnection.connect(options))
}

/** For what starts and watches workflows. */
export async function connectClient(
  target: TemporalTarget,
  signal: AbortSignal,
): Promise<{ readonly client: Client; readonly connection: Connection }> {
  const options = await optionsOf(target)
  const connection = await persistently(target, signal, () => Connection.connect({ ...options, connectTimeout: 5_000 }))
  return { connection, client: new Client({ connection, namespace: target.namespace }) }
}

/** Temporal may start later than we do. */
async function persistently<T>(target: TemporalTarget, signal: AbortSignal, connect: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + connectWithinMs
  for (;;) {
    signal.throwIfAborted()
    try {
      return await connect()
    } catch (error) {
      if (Date.now() > deadline) {
        throw new HoldfastError(
          'TemporalUnavailable',
          `Temporal at ${target.address} cannot be reached: ${describeError(error)}`,
          { cause: error },
        )
      }
    }
    await sleep(500, null, { signal })
  }
}

function engineLogger(log: Log): Logger {
  const say = (level: LogLevel, message: string, meta: object = {}): void => {
    if (level === 'ERROR') log.error(meta, message)
    else if (level === 'WARN') log.warn(meta, message)
    else if (level === 'INFO') log.info(meta, message)
  }
  return {
    log: say,
    trace: (message, meta) => say('TRACE', message, meta),
    debug: (message, meta) => say('DEBUG', message, meta),
    info: (message, meta) => say('INFO', message, meta),
    warn: (message, meta) => say('WARN', message, meta),
    error: (message, meta) => say('ERROR', message, meta),
  }
}
