import type { Catalog, ChannelRow, RunView } from '../catalog/index.ts'
import type { EvidenceKey } from '../evidence/index.ts'
import type { Message } from '../notify/index.ts'
import type { RunFacts, Runbook, RunHistory, PendingStep } from '../runbook/types.ts'
import type { FileGateway } from '../files/types.ts'
import type { DrillPace } from './drill-keeper.ts'
import type { Orchestrator } from './orchestrator.ts'
import type { ScheduleState } from './schedule-state.ts'

export interface ApiLog {
  info(data: object, message: string): void
  warn(data: object, message: string): void
  error(data: object, message: string): void
}

export type ToRunbook = (history: RunHistory, pending: readonly PendingStep[], facts: RunFacts) => Runbook

/** Keeps the catalog's rows of runs in step with the engine, and tells who listens. */
export interface LiveRuns {
  /** Looks soon: something was started or changed. */
  nudge(): void
  /** One look at everything that is open; never two at the same time. */
  tick(): Promise<void>
  /** The runbook as it is now. Throws NotFound when neither the archive nor the engine has its history. */
  runbook(run: RunView): Promise<Runbook>
  /** Looks regularly until the signal: about once a second while somebody listens, else every five seconds. */
  run(signal: AbortSignal): Promise<void>
}

/** How notifications leave; secrets are read when they are needed. Both throw HoldfastError. */
export interface Sender {
  send(channel: ChannelRow, message: Message, signal: AbortSignal): Promise<void>
  ping(channel: ChannelRow, signal: AbortSignal): Promise<void>
}

/** Everything the API is made of; the server assembles it, tests put fakes in. */
export interface ApiDeps {
  readonly catalog: Catalog
  readonly orchestrator: Orchestrator
  readonly toRunbook: ToRunbook
  readonly live: LiveRuns
  /** What the keeper of schedules has found; left out: nobody keeps any here. */
  readonly schedules?: () => ScheduleState
  readonly sender: Sender
  /** What a reference stands for, for workers of sites that may ask for it. */
  readonly secret: (credentialRef: string) => Promise<string>
  /** The files of points that are open on this machine. */
  readonly files: FileGateway
  readonly now: () => number
  readonly log: ApiLog
  readonly version: string
  /** Another key signs evidence of drills from now on. */
  readonly rotateEvidenceKey: () => Promise<EvidenceKey>
  /** Folder for evidence, made if missing. */
  readonly evidenceDir: string
  /** Folder of copies of the catalog on their way into a repository. */
  readonly copiesDir: string
  /** HOLDFAST_HOME, for the doctor; null: not asked about. */
  readonly home: string | null
  /** Folder of the built dashboard; null: only the API is served. */
  readonly webDir: string | null
  /** Origins other than its own from which browsers may act, e.g. `https://backup.example.org` behind a proxy. */
  readonly origins: readonly string[]
  /** What begins by itself; see `HousekeepingOptions`. */
  readonly byItself: {
    readonly sweeps: 'daily' | 'by-hand'
    readonly drills: DrillPace
    /** Between two listings of the VMs of a hypervisor; null or left out: only who asks. */
    readonly discoverEveryMs?: number | null
  }
  /** Temporal's own pages, where they are switched on. */
  readonly engineUi: string | null
}
