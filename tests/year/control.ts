import type { Client } from '@temporalio/client'
import { ScheduleNotFoundError } from '@temporalio/client'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alertKeeper, housekeeping, scheduleKeeper, type ApiDeps } from '../../api/index.ts'
import { FakeOrchestrator } from '../../api/testing/fake-orchestrator.ts'
import type { Poller, StartSpec } from '../../api/orchestrator.ts'
import { HoldfastError } from '../../base/index.ts'
import type { Catalog } from '../../catalog/index.ts'
import type { Message } from '../../notify/index.ts'
import { steadyClock, Watchdog } from '../../server/watchdog/index.ts'
import { controlQueue, siteQueue } from '../../workflows/shared/queues.ts'
import type { Diary } from './diary.ts'
import { minute, type Estate } from './estate.ts'
import type { Faults } from './faults.ts'
import { storeAt, type SimStore } from './stores.ts'
import type { Timeline } from './timeline.ts'

/** What the server does again and again: looks, compares, tells, begins what is due. The real code of each, on the simulated clock. */
export interface Control extends AsyncDisposable {
  /**
   * One turn of everything that tells; the look into the repositories itself only with `whole`. Whether there is something
   * that is told when it has lasted for a while.
   */
  tick(whole: boolean): Promise<boolean>
  /** What housekeeping begins by itself. */
  housekeep(): Promise<readonly StartSpec[]>
  /** As the engine named the open run of a workflow. */
  runIdOf(workflowId: string): string
  ended(workflowId: string): void
}

export interface World {
  readonly catalog: Catalog
  readonly timeline: Timeline
  readonly estate: Estate
  readonly faults: Faults
  readonly diary: Diary
  readonly stores: ReadonlyMap<string, SimStore>
  /** What is promised to the VM now. */
  readonly rpoOf: (vm: string) => number
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
/** What nothing here asks for. */
const absent = new Proxy({}, { get: () => () => Promise.reject(new Error('nothing here uses that')) })
export const channel = 'team'

export function controlOf(world: World): Control {
  const { catalog, timeline, estate, faults, diary, stores } = world
  const now = (): number => timeline.nowMs
  const engine = new FakeOrchestrator(now)
  const deps = {
    ...{ catalog, orchestrator: engine, now, log: quiet, version: 'year', home: null, webDir: null, origins: [] },
    ...{ evidenceDir: '', copiesDir: '', engineUi: null, toRunbook: absent, files: absent },
    live: { nudge: () => undefined, tick: async () => undefined, runbook: absent, run: async () => undefined },
    byItself: { sweeps: 'daily', drills: 'by-hand' },
    sender: {
      send: async (to: { readonly name: string }, { notices }: Message) => {
        if (to.name !== channel) return
        if (faults.at('channel', '', now())) throw new HoldfastError('NetworkFailure', 'the channel does not answer')
        for (const notice of notices) diary.told.push({ atMs: now(), notice })
      },
      ping: async () => undefined,
    },
  } as unknown as ApiDeps
  for (const [name, of] of [[channel, 'warning'] as const, ['other', 'critical'] as const])
    catalog.alerts.putChannel({
      ...{ name, kind: 'webhook', url: 'https://hook.example/x', mail: null, chat: null, allowPrivate: false },
      ...{ credentialRef: 'file:/srv/secrets/hook', enabled: true },
      route: { severity: of, tags: [], quiet: null, digestAt: null, timeZone: 'UTC' },
    })
  const alerts = alertKeeper(deps, now)
  const schedules = scheduleKeeper({ catalog, log: quiet, now, client: schedulesOnly(() => isAway()) })
  const keeping = housekeeping(deps, { drills: 'by-hand' })
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-year-'))
  const { signal } = new AbortController()
  const watchdog = new Watchdog({
    ...{ catalog, now, cacheDir: folder, log: quiet, secret: async () => 'a passphrase' },
    clock: steadyClock(null, () => ({ wallMs: now(), steadyMs: now() })),
    openRepository: async ({ location }) => storeAt(stores, location).open(),
  })
  const isAway = (): boolean => faults.at('engine', '', now()) !== undefined
  const seesWorkers = (): void => {
    engine.away = isAway()
    const worker: Poller = { identity: 'worker', role: 'activity', lastSeenMs: now() }
    engine.pollersByQueue.set(controlQueue, [worker])
    for (const site of estate.sites)
      engine.pollersByQueue.set(siteQueue(site), faults.at('worker', site, now()) ? [] : [worker])
  }
  const look = async (whole: boolean): Promise<void> => {
    for (const store of stores.values()) store.isAway = faults.at('repository', store.id, now()) !== undefined
    const errorOf = (id: string) => catalog.watches.find(id)?.error ?? null
    const hasChanged = [...stores.values()].some(({ id, isAway: away }) => away !== (errorOf(id) !== null))
    if (whole || hasChanged) return watchdog.look(signal)
    // What a look writes down that finds all as it was: a year of them every five minutes would be all that it does.
    for (const { id } of stores.values()) {
      const error = errorOf(id)
      if (error !== null) {
        catalog.watches.recordFailure(id, now(), error)
        continue
      }
      const { uuid = null, series = 0, points = 0, unreadable = 0 } = catalog.watches.find(id) ?? {}
      const found = { uuid: uuid ?? '', series, points, unreadable, vanished: 0, returned: 0 }
      catalog.watches.recordLook(id, { lookedMs: now(), ...found })
    }
  }
  return {
    async tick(whole) {
      if (faults.at('server', '', now())) return false
      seesWorkers()
      await look(whole)
      try {
        await schedules.reconcile()
      } catch (error) {
        if (!isAway()) throw error
      }
      schedules.watch()
      await alerts.tick(signal)
      await alerts.idle()
      const isNew = catalog.alerts.open().some(({ openedMs }) => openedMs === now())
      return isNew || catalog.alerts.overSince(now() - 1).length > 0
    },
    async housekeep() {
      if (faults.at('server', '', now())) return []
      seesWorkers()
      engine.started.length = 0
      await keeping.tick()
      return [...engine.started]
    },
    runIdOf(workflowId) {
      const run = engine.runs.find((one) => one.workflowId === workflowId)
      if (run === undefined) throw new Error(`${workflowId} was never started`)
      return run.runId
    },
    ended(workflowId) {
      const at = engine.runs.findIndex((run) => run.workflowId === workflowId)
      if (at >= 0) engine.runs.splice(at, 1)
    },
    async [Symbol.asyncDispose]() {
      await watchdog[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The schedules of an engine that takes them all; when they are due the year reckons by the same code as the preview. */
function schedulesOnly(isAway: () => boolean): Client {
  const reach = (): void => {
    if (isAway()) throw new HoldfastError('TemporalUnavailable', 'Temporal does not answer (simulated)')
  }
  const schedule = {
    async *list() {
      reach()
    },
    getHandle: (id: string) => ({
      describe: async () => {
        reach()
        throw new ScheduleNotFoundError('none', id)
      },
    }),
    create: async () => reach(),
  }
  const connection = { withDeadline: <T>(_: number, call: () => Promise<T>): Promise<T> => call() }
  return { schedule, connection } as unknown as Client
}

export const lookWithin = 25 * minute
