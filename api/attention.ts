import type { z } from '@hono/zod-openapi'
import { formatBytes, formatDuration, shellWord } from '../base/index.ts'
import { ownBackupState } from '../policy/index.ts'
import type { Catalog, VmView } from '../catalog/index.ts'
import type { ApiDeps } from './deps.ts'
import { copyTrouble } from './copy-trouble.ts'
import { drillAgenda, type AgendaEntry } from './drill-agenda.ts'
import { drillTrouble } from './drill-trouble.ts'
import { failedRuns } from './failed-runs.ts'
import { queuesOf, type Engine, type Pollers } from './facts.ts'
import { goneVms, hypervisorTrouble, staleListings } from './hypervisor-trouble.ts'
import { mirrorTrouble } from './mirror-attention.ts'
import { missedStarts } from './missed-starts.ts'
import { pointTrouble } from './point-trouble.ts'
import { recoveryTrouble } from './recovery-trouble.ts'
import { replicationTrouble } from './replication-keeper.ts'
import type { attentionSchema, overviewSchema } from './schemas/overview.ts'
import { retentionTrouble } from './retention-audit.ts'
import { scheduleTrouble } from './schedule-trouble.ts'
import { slotlessRuns } from './slotless.ts'
import { isForgotten } from './views/instants.ts'
import { postureView } from './views/vms.ts'
import { watchTrouble } from './watched.ts'

export type Attention = z.infer<typeof attentionSchema>
type Repository = z.infer<typeof overviewSchema>['repositories'][number]

const dayMs = 86_400_000
/** Of the queue on the first page. */
export const mostNeedingYou = 50

/**
 * The queue "needs you", most urgent first, `most` of each kind, and of all unless `all`; `total` counts also what is not in
 * it, `cut` has the kinds of which there may be more. `outside`: VMs outside of their promise, where they are known.
 */
export function attention(
  deps: ApiDeps,
  engine: Engine,
  repositories: readonly Repository[],
  {
    most = mostNeedingYou,
    agenda = drillAgenda(deps),
    outside,
    all = false,
  }: {
    readonly most?: number
    readonly agenda?: readonly AgendaEntry[]
    readonly outside?: Outside
    readonly all?: boolean
  } = {},
): { items: Attention[]; total: number; cut: ReadonlySet<Attention['kind']> } {
  const { catalog } = deps
  const vms = vmsOutside(deps, most, outside)
  const drills = drillTrouble(deps, most, agenda)
  // What may be the cause of the rest comes first, and is not what is cut.
  const rest = [
    ...(engine.up ? silentSites(deps, engine.pollers) : [engineDown(engine.detail)]),
    ...watchTrouble(deps),
    ...repositories.flatMap((repository) => repositoryTrouble(repository, deps.now())),
    ...mirrorTrouble(deps),
    ...copyTrouble(catalog),
    ...recoveryTrouble(deps),
    ...replicationTrouble(deps),
    ...hypervisorTrouble(catalog),
    ...staleListings(deps),
    ...goneVms(catalog, deps.now()),
    ...failingChannels(catalog),
    ...ownBackupTrouble(deps, repositories),
    ...waitingRuns(catalog, most),
    ...forgottenInstants(catalog, deps.now()),
    ...pointTrouble(catalog, deps.now(), most),
    ...failedRuns(catalog, deps.now()),
    ...missedStarts(catalog, deps.now()),
    ...scheduleTrouble(deps),
    ...slotlessRuns(catalog, deps.now()),
    ...retentionTrouble(catalog, deps.now()),
    ...drills.items,
    ...residue(catalog, deps.now(), most),
  ]
  const total = vms.total + rest.length + drills.more
  const items = [...rest, ...vms.items].toSorted((a, b) => urgency[a.severity] - urgency[b.severity])
  const ofKinds = Map.groupBy(
    rest.filter(({ kind }) => shortened.has(kind)),
    ({ kind }) => kind,
  )
  const cut = new Set([...ofKinds].flatMap(([kind, some]) => (some.length < most ? [] : [kind])))
  if (drills.more > 0) cut.add('drill-overdue')
  if (vms.total > vms.items.length) for (const kind of outsideKinds) cut.add(kind)
  return { items: all ? items : items.slice(0, most), total, cut }
}

/** Of which the newest are looked at, `most` of them or a thousand; all others are whole, however many there are. */
const shortened = new Set<Attention['kind']>([
  ...(['waiting', 'residue', 'run-failed', 'drill-failed'] as const),
  ...(['suspicious-change', 'unexpected-full', 'point-damaged'] as const),
])

/** Of VMs outside of their promise. */
export const outsideKinds = ['failed', 'overdue', 'late', 'unprotected'] as const satisfies Attention['kind'][]

/** That nobody can tell is no less urgent than that something failed. */
const urgency = { failed: 0, unknown: 0, attention: 1 } as const satisfies { [state in Attention['severity']]: number }

/** Never backed up, and not for longer than its RPO: its plan may come to it still. One that lost its points is no new one. */
function isNewlyFound({ catalog, now }: ApiDeps, { id, createdMs, promised }: VmView): boolean {
  return now() - createdMs <= promised.rpoMs && !catalog.points.hadAny(id)
}

/** So many times as old as promised: that a backup runs is no comfort any more, and whoever is told only what is critical has to know. */
const stuckAfter = 2

/** VMs outside of their promise: how many, and the ids of the most urgent. */
interface Outside {
  readonly total: number
  readonly ids: readonly string[]
}

function vmsOutside(deps: ApiDeps, most: number, known?: Outside): { items: Attention[]; total: number } {
  const { vms } = deps.catalog
  const page = known
    ? { total: known.total, items: known.ids.slice(0, most).map((id) => vms.get(id)) }
    : vms.list({ limit: most }, { state: 'outside-rpo' })
  const items = page.items.map((vm): Attention => {
    const { state, sentence, ageMs } = postureView(vm)
    const isNew = state === 'unprotected' && isNewlyFound(deps, vm)
    const isStuck = state === 'late' && (ageMs ?? 0) > stuckAfter * vm.promised.rpoMs
    const title = {
      failed: `${vm.name} has no point inside its RPO`,
      overdue: `${vm.name} is overdue`,
      late: `${vm.name} is late, its backup is running`,
      unprotected: `${vm.name} has no recovery point`,
      protected: vm.name,
      excluded: vm.name,
    }[state]
    return {
      kind: state === 'failed' || state === 'overdue' || state === 'late' ? state : 'unprotected',
      severity: isNew || (state === 'late' && !isStuck) ? 'attention' : 'failed',
      title,
      detail: isStuck ? `${sentence} Its backup does not come to its end: see what it waits for.` : sentence,
      sinceMs: ageMs === null ? vm.createdMs : deps.now() - ageMs,
      subject: { kind: 'vm', id: vm.id },
      action:
        state === 'late'
          ? { label: 'Watch its run', command: `holdfast run watch backup/${vm.id}` }
          : { label: 'Back up now', command: `holdfast backup ${vm.id}` },
    }
  })
  return { items, total: page.total }
}

function engineDown(detail: string): Attention {
  return {
    kind: 'engine',
    severity: 'unknown',
    title: 'The engine does not answer',
    detail: `${detail}. Runs continue when it is back.`,
    sinceMs: null,
    subject: null,
    action: { label: 'Check the installation', command: 'holdfast doctor' },
  }
}

/** Whoever relies on a channel hears nothing, and takes it for nothing to hear. */
function failingChannels(catalog: Catalog): Attention[] {
  return catalog.alerts.failing().map(({ name, sinceMs, error }) => ({
    kind: 'channel-failing',
    severity: 'failed',
    title:
      error?.code === 'MessageRefused'
        ? `The channel ${name} does not take what it is told`
        : `Nothing reaches the channel ${name}`,
    detail: error ? `${error.message}. ${error.hint}` : 'Its messages wait.',
    sinceMs,
    subject: { kind: 'channel', id: name },
    action: { label: 'Test it', command: `holdfast channels test ${name}` },
  }))
}

function silentSites(deps: ApiDeps, pollers: Pollers): Attention[] {
  return queuesOf(deps)
    .filter(({ queue }) => (pollers[queue]?.count ?? 0) === 0)
    .map(({ site }) => ({
      kind: 'no-worker' as const,
      severity: 'failed' as const,
      title: site === null ? 'No server works on the control queue' : `No worker is connected for site ${site}`,
      detail:
        site === null
          ? 'Runs wait until one is there.'
          : `Backups, restores and tests at ${site} wait until one is there.`,
      sinceMs: null,
      subject: site === null ? null : { kind: 'site' as const, id: site },
      action: {
        label: site === null ? 'Start a server' : 'Start a worker',
        command: site === null ? 'holdfast server' : `holdfast worker --site ${site}`,
      },
    }))
}

function waitingRuns(catalog: Catalog, most: number): Attention[] {
  return catalog.runs.list({ limit: most }, { state: 'waiting' }).items.map((run) => ({
    kind: 'waiting',
    severity: 'attention',
    title: `${run.title} waits for you`,
    detail: run.error ? `${run.error.message}. ${run.error.hint}` : 'See what it waits for.',
    sinceMs: null,
    subject: { kind: 'run', id: run.runId },
    action: { label: 'See the run', command: `holdfast run show ${run.workflowId}` },
  }))
}

/** Their points cannot go, and what their guests write is in no backup. */
const forgottenTodos: { readonly [state: string]: string } = {
  running: 'Migrate it, or discard it.',
  migrating: 'Its copy has not ended: see the run.',
}

function forgottenInstants(catalog: Catalog, nowMs: number): Attention[] {
  return [...catalog.instants.everyOpen()]
    .filter((one) => isForgotten(one, nowMs))
    .map((one) => ({
      kind: 'instant-forgotten',
      severity: 'attention',
      title: `${one.name} still runs from ${one.repositoryName}`,
      detail: `For ${formatDuration(nowMs - one.startedMs)}, started by ${one.requestedUser}. ${forgottenTodos[one.state] ?? 'See the run.'}`,
      sinceMs: one.startedMs,
      subject: { kind: 'run', id: one.runId },
      action: { label: 'Decide', command: `holdfast instant migrate ${shellWord(one.name)}` },
    }))
}

/** Whatever it grows by: a repository that is new, or grows by nothing because it is full, has no date. As the rule for Prometheus. */
const almostFull = 0.05

function repositoryTrouble(repository: Repository, nowMs: number): Attention[] {
  const subject = { kind: 'repository', id: repository.id } as const
  const command = `holdfast repository test ${repository.id}`
  if (repository.test?.state === 'failed') {
    const failed = repository.test.checks.find((check) => !check.passed)
    return [
      {
        kind: 'repository-failed',
        severity: 'failed',
        title: `The last test of ${repository.name} failed`,
        detail: repository.test.error?.message ?? failed?.detail ?? 'See the test.',
        sinceMs: repository.test.testedMs,
        subject,
        action: { label: 'Test again', command },
      },
    ]
  }
  const { capacityBytes = null, freeBytes = null, measuredMs = null } = repository.usage ?? {}
  if (capacityBytes !== null && freeBytes !== null && freeBytes < almostFull * capacityBytes) {
    const left = `${formatBytes(Math.max(0, freeBytes))} of ${formatBytes(capacityBytes)}`
    return [
      {
        kind: 'filling',
        severity: 'failed',
        title: freeBytes <= 0 ? `${repository.name} is full` : `${repository.name} is almost full: ${left} left`,
        detail: 'Backups into it stop when it is full, and go on where they stopped once there is room.',
        sinceMs: measuredMs,
        subject,
        action: { label: 'See what a sweep would free', command: `holdfast retention plan ${repository.id}` },
      },
    ]
  }
  if (repository.fullByMs !== null && repository.fullByMs - nowMs < 60 * dayMs) {
    return [
      {
        kind: 'filling',
        severity: 'attention',
        title: `${repository.name} is full by ${new Date(repository.fullByMs).toISOString().slice(0, 10)}`,
        detail: 'At the growth of the last two months; `holdfast capacity` says how sure that is.',
        sinceMs: null,
        subject,
        action: { label: 'See what comes', command: `holdfast capacity ${repository.id}` },
      },
    ]
  }
  return []
}

/** A first day without a copy is told by the doctor; from then on it needs a person. */
function ownBackupTrouble({ catalog, now }: ApiDeps, repositories: readonly Repository[]): Attention[] {
  const createdMs = (id: string): number =>
    (repositories.find((one) => one.id === id) ?? catalog.repositories.find(id))?.createdMs ?? 0
  return catalog.own.backups().flatMap((row): Attention[] => {
    const { madeMs, error, repositoryId: id, repositoryName: name } = row
    const state = ownBackupState({ nowMs: now(), madeMs, hasFailed: error !== null })
    if (state === 'ok' || state === 'failing' || (state === 'none' && now() - createdMs(id) < dayMs)) return []
    return [
      {
        kind: 'own-backup',
        severity: 'attention',
        title: state === 'none' ? `${name} holds no copy of the catalog` : `The copy of the catalog in ${name} is old`,
        detail: error
          ? `${error.message}. ${error.hint}`
          : 'If this machine were lost, a rebuild from this repository would miss what came later.',
        sinceMs: madeMs,
        subject: { kind: 'repository', id },
        action: { label: 'Back up the catalog', command: `holdfast own-backup now ${id}` },
      },
    ]
  })
}

function residue(catalog: Catalog, nowMs: number, most: number): Attention[] {
  return catalog.statistics.residueRuns(nowMs - 7 * dayMs, most).map((run) => ({
    kind: 'residue',
    severity: 'attention',
    title: `${run.title} left ${run.things} ${run.things === 1 ? 'thing' : 'things'} behind`,
    detail: 'The run lists them and says who removes them.',
    sinceMs: run.endedMs,
    subject: { kind: 'run', id: run.runId },
    action: { label: 'See what is left', command: `holdfast run show ${run.runId}` },
  }))
}
