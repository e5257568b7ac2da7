import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { HoldfastError, describeError } from '../base/index.ts'
import type { Log } from '../activities/index.ts'
import { searchAttributes } from '../workflows/shared/contract.ts'
import type { Home } from './config.ts'
import type { TemporalCli } from './temporal-cli.ts'
import type { Child, Supervisor } from './supervisor.ts'

/** Closed runs stay so long in Temporal itself; the archive keeps them afterwards. */
const retentionSeconds = 720 * 3600
const readyWithinMs = 60_000

/** `temporal.api.enums.v1.IndexedValueType` */
const keyword = 2
const integer = 3
const kinds: { readonly [name in keyof typeof searchAttributes]: number } = {
  vm: keyword,
  plan: keyword,
  repository: keyword,
  site: keyword,
  outcome: keyword,
  bytesStored: integer,
}

export interface EmbeddedTemporal {
  readonly address: string
  readonly uiUrl: string | null
  readonly child: Child
}

/**
 * The official development server on one SQLite file, on loopback only: for evaluation and small installations that
 * accept what Temporal says of it. Started again after a crash, on the same port; running workflows go on.
 */
export async function startEmbeddedTemporal(options: {
  readonly home: Home
  readonly cli: TemporalCli
  readonly supervisor: Supervisor
  readonly log: Log
  /** Port of Temporal's own pages; null: headless. */
  readonly uiPort: number | null
}): Promise<EmbeddedTemporal> {
  const { home, cli, supervisor, log, uiPort } = options
  const port = await rememberedPort(join(home.temporal, 'port'))
  const address = `127.0.0.1:${port}`
  const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'error']
  args.push('--db-filename', join(home.temporal, 'temporal.db'), '--namespace', 'default')
  args.push(...(uiPort === null ? ['--headless'] : ['--ui-ip', '127.0.0.1', '--ui-port', String(uiPort)]))
  const child = await supervisor.start({
    name: 'temporal',
    program: cli.path,
    args,
    logFile: join(home.logs, 'temporal.log'),
    ready: async (signal) => {
      const connection = await reachable(address, signal)
      try {
        await prepareNamespace({ connection, namespace: 'default', log, signal })
      } finally {
        await connection.close()
      }
    },
    stopWithinMs: 10_000,
  })
  return { address, uiUrl: uiPort === null ? null : `http://127.0.0.1:${uiPort}`, child }
}

/**
 * Waits until the namespace answers, raises its retention and creates our search attributes. An account that may not
 * do the latter two at a server of one's own is told what is missing. The connection is the caller's, so that it has
 * the caller's TLS and key.
 */
export async function prepareNamespace(options: {
  readonly connection: Pick<Connection, 'workflowService' | 'operatorService'>
  readonly namespace: string
  readonly log: Log
  readonly signal: AbortSignal
}): Promise<void> {
  const { connection, namespace, log, signal } = options
  const { config } = await untilReady(`the namespace ${namespace} does not answer`, signal, () =>
    connection.workflowService.describeNamespace({ namespace }),
  )
  try {
    const now = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0)
    if (now < retentionSeconds) {
      const longer = { workflowExecutionRetentionTtl: { seconds: retentionSeconds as never } }
      await connection.workflowService.updateNamespace({ namespace, config: longer })
    }
    await createSearchAttributes(connection, namespace)
  } catch (error) {
    log.warn(
      { error: describeError(error), namespace },
      'the namespace could not be prepared; `holdfast doctor` says what is missing',
    )
  }
}

async function createSearchAttributes(
  connection: Pick<Connection, 'operatorService'>,
  namespace: string,
): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  const missing = Object.entries(searchAttributes).filter(([, name]) => !(name in customAttributes))
  if (missing.length === 0) return
  const wanted = Object.fromEntries(missing.map(([key, name]) => [name, kinds[key as keyof typeof kinds]]))
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: wanted })
}

/** Our own server, on loopback: no TLS and no key. */
function reachable(address: string, signal: AbortSignal): Promise<Connection> {
  return untilReady(`Temporal at ${address} does not answer`, signal, () =>
    Connection.connect({ address, connectTimeout: 1000 }),
  )
}

async function untilReady<T>(otherwise: string, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + readyWithinMs
  for (;;) {
    signal.throwIfAborted()
    try {
      return await ask()
    } catch (error) {
      if (Date.now() > deadline) {
        throw new HoldfastError('TemporalUnavailable', `${otherwise}: ${describeError(error)}`, { cause: error })
      }
      await sleep(100)
    }
  }
}

/** The port of the last time if it is free, so that whoever knew the address still does; else a free one. */
async function rememberedPort(file: string): Promise<number> {
  const last = readPort(file)
  const port = last !== null && (await isFree(last)) ? last : await freePort()
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, `${port}\n`, { mode: 0o600 })
  return port
}

function readPort(file: string): number | null {
  try {
    const port = Number(readFileSync(file, 'utf8').trim())
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function isFree(port: number): Promise<boolean> {
  return listen(port).then(
    () => true,
    () => false,
  )
}

export async function freePort(): Promise<number> {
  return listen(0)
}

function listen(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const bound = server.address()
      server.close(() =>
        typeof bound === 'object' && bound !== null ? resolve(bound.port) : reject(new Error('no port')),
      )
    })
  })
}
