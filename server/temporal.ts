import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client'
import { NativeConnection, Runtime, type NativeConnectionOptions } from '@temporalio/worker'
import type { LogLevel, Logger } from '@temporalio/worker'
import { HoldfastError, describeError } from '../base/index.ts'
import type { Log } from '../activities/index.ts'
import type { Environment, TemporalTarget } from './config.ts'
import { resolveSecret } from './secrets.ts'

/**
 * Once per process, before any connection: logs of the engine go where ours go, signals are handled by us. Disposed last: it
 * ends with the last connection, but of a process that was refused before its first one it would keep the threads, and those
 * the process.
 */
export function installRuntime(log: Log, env: Environment = process.env): AsyncDisposable {
  const metrics = env['HOLDFAST_METRICS_ADDRESS']
  const runtime = Runtime.install({
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
  return { [Symbol.asyncDispose]: () => runtime.shutdown() }
}

interface Options {
  readonly address: string
  readonly tls?: boolean
  readonly apiKey?: string
}
type NativeOptions = Options & Pick<NativeConnectionOptions, 'proxy'>

async function optionsOf(target: TemporalTarget): Promise<Options> {
  const apiKey = target.apiKeyRef === null ? null : await resolveSecret(target.apiKeyRef)
  return { address: target.address, ...(target.tls && { tls: true }), ...(apiKey !== null && { apiKey }) }
}

function proxyOf({ proxy }: TemporalTarget): Pick<NativeOptions, 'proxy'> {
  if (!proxy) return {}
  const [username, password] = [decodeURIComponent(proxy.username), decodeURIComponent(proxy.password)]
  const targetHost = `${proxy.hostname}:${proxy.port || '80'}`
  return { proxy: { type: 'http-connect', targetHost, ...(username !== '' && { basicAuth: { username, password } }) } }
}

/** One try. Throws TemporalUnavailable. */
export async function connectOnce(target: TemporalTarget): Promise<NativeConnection> {
  const options: NativeOptions = { ...(await optionsOf(target)), ...proxyOf(target) }
  try {
    return await NativeConnection.connect(options)
  } catch (error) {
    throw unreachable(target, error)
  }
}

/** About three seconds: what a restart of Temporal takes. Whoever asks is then told that it is away, and may ask again. */
const attemptsPerCall = 6
/** Temporal that comes after hours is not waited for any longer than one that comes after a minute. */
const reconnectWithinMs = 5_000

export interface OpenClient extends AsyncDisposable {
  readonly client: Client
  readonly connection: Connection
}

/**
 * For what starts and watches workflows. Connects when it is asked something, and again whenever the connection is lost:
 * Temporal may come later than we do. Throws what keeps the key of Temporal from being read.
 */
export async function openClient(target: TemporalTarget): Promise<OpenClient> {
  const usual = defaultGrpcRetryOptions({ maxAttempts: attemptsPerCall })
  let isClosing = false
  let lastRetryAt = 0
  const retry = makeGrpcRetryInterceptor({
    delayFunction(attempt, status) {
      const ms = usual.delayFunction(attempt, status)
      lastRetryAt = Math.max(lastRetryAt, performance.now() + ms)
      return ms
    },
    retryableDecider: (attempt, status) => !isClosing && usual.retryableDecider(attempt, status),
  })
  const connection = Connection.lazy({
    ...(await optionsOf(target)),
    connectTimeout: 5_000,
    channelArgs: { 'grpc.max_reconnect_backoff_ms': reconnectWithinMs },
    interceptors: [retry],
  })
  return {
    connection,
    client: new Client({ connection, namespace: target.namespace }),
    async [Symbol.asyncDispose]() {
      isClosing = true
      // A retry whose timer runs would throw out of it, at nobody, if its channel were closed.
      await sleep(Math.max(0, lastRetryAt - performance.now()) + 50)
      await connection.close()
    },
  }
}

function unreachable({ address }: TemporalTarget, cause: unknown): HoldfastError {
  const message = `Temporal at ${address} cannot be reached: ${describeError(cause)}`
  return new HoldfastError('TemporalUnavailable', message, { cause })
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
