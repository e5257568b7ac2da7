import { blob, integer, primaryKey, real, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { RepositoryLocation } from '../base/index.ts'
import type {
  Category,
  DrillCheckSpec,
  MediaClass,
  MissedStartKind,
  PlanSpec,
  SweepSettings,
  VmOverride,
} from '../policy/index.ts'
import type {
  CategoryName,
  CollectionRecord,
  AtRest,
  Consistency,
  CopyState,
  DrillCheckResult,
  ErrorNote,
  EventType,
  FindingNote,
  HoldType,
  Json,
  Platform,
  PointDisk,
  PowerState,
  ProbeRecord,
  ProgressRecord,
  RepositoryTestRecord,
  ResidueNote,
  RunKind,
  RunState,
  StoredRules,
  SweepApproval,
  SweepState,
  SweptState,
  UsageRecord,
  Verdict,
  VerifyFinding,
  VerifyRunState,
  VmDisk,
} from './types.ts'

/**
 * The tables as queries see them. `migrations/` makes them (STRICT, which drizzle-kit does not write); a test proves
 * that the two say the same. Times are Unix milliseconds, sizes bytes.
 */
export const installation = sqliteTable('installation', {
  id: integer('id').primaryKey(),
  uuid: text('uuid').notNull(),
  name: text('name').notNull(),
  createdMs: integer('created_ms').notNull(),
})

export const endpoints = sqliteTable('endpoints', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  platform: text('platform').$type<Platform>().notNull(),
  address: text('address').notNull(),
  site: text('site').notNull(),
  credentialRef: text('credential_ref').notNull(),
  identity: text('identity'),
  options: text('options', { mode: 'json' }).$type<{ readonly [name: string]: string | number | boolean }>().notNull(),
  createdMs: integer('created_ms').notNull(),
  discoveredMs: integer('discovered_ms'),
  probe: text('probe', { mode: 'json' }).$type<ProbeRecord>(),
})

export const vms = sqliteTable('vms', {
  id: text('id').primaryKey(),
  endpointId: text('endpoint_id').notNull(),
  scope: text('scope').notNull(),
  externalId: text('external_id').notNull(),
  name: text('name').notNull(),
  power: text('power').$type<PowerState>().notNull(),
  tags: text('tags', { mode: 'json' }).$type<readonly string[]>().notNull(),
  disks: text('disks', { mode: 'json' }).$type<readonly VmDisk[]>().notNull(),
  sizeBytes: integer('size_bytes').notNull(),
  guestAgent: text('guest_agent').$type<'running' | 'absent' | 'unknown'>().notNull(),
  os: text('os'),
  foreignSnapshots: integer('foreign_snapshots').notNull(),
  owner: text('owner', { mode: 'json' }).$type<{
    readonly installation: string
    readonly name: string
    readonly since: string
  }>(),
  findings: text('findings', { mode: 'json' }).$type<readonly FindingNote[]>().notNull(),
  category: text('category').$type<CategoryName>().notNull(),
  excludedReason: text('excluded_reason'),
  /** When it is protected again by itself; null: when somebody says so. */
  excludedUntilMs: integer('excluded_until_ms'),
  drillChecks: text('drill_checks', { mode: 'json' }).$type<readonly DrillCheckSpec[]>().notNull(),
  createdMs: integer('created_ms').notNull(),
  /** What is set for this VM alone. */
  override: text('override', { mode: 'json' }).$type<VmOverride>().notNull().default({}),
  /** Of what somebody set for it; what the hypervisor says does not count. */
  revision: integer('revision').notNull().default(1),
  /** The listing that showed it last. */
  listing: text('listing').notNull(),
  seenMs: integer('seen_ms').notNull(),
  goneMs: integer('gone_ms'),
})

export const categories = sqliteTable('categories', {
  name: text('name').primaryKey(),
  revision: integer('revision').notNull(),
  spec: text('spec', { mode: 'json' }).$type<Category>().notNull(),
  createdMs: integer('created_ms').notNull(),
  changedMs: integer('changed_ms').notNull(),
})

export const plans = sqliteTable('plans', {
  name: text('name').primaryKey(),
  revision: integer('revision').notNull(),
  spec: text('spec', { mode: 'json' }).$type<Omit<PlanSpec, 'name'>>().notNull(),
  createdMs: integer('created_ms').notNull(),
  changedMs: integer('changed_ms').notNull(),
  /** Its points go on ageing by what it said last. */
  deletedMs: integer('deleted_ms'),
})

export const repositories = sqliteTable('repositories', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  site: text('site').notNull(),
  location: text('location', { mode: 'json' }).$type<RepositoryLocation>().notNull(),
  credentialRef: text('credential_ref').notNull(),
  createdMs: integer('created_ms').notNull(),
  test: text('test', { mode: 'json' }).$type<RepositoryTestRecord>(),
  usage: text('usage', { mode: 'json' }).$type<UsageRecord>(),
  /** What it says it is, as far as somebody has looked; no two rows have the same. */
  uuid: text('uuid'),
  /** When somebody last tried to measure it, and why that failed. */
  measureTriedMs: integer('measure_tried_ms'),
  measureError: text('measure_error', { mode: 'json' }).$type<ErrorNote>(),
  /** On what it lies. */
  media: text('media').$type<MediaClass>().notNull().default('disk'),
  /** Where that stands; null: at its site. */
  standsAt: text('stands_at'),
})

export const points = sqliteTable('points', {
  id: text('id').primaryKey(),
  stem: text('stem').notNull(),
  vmId: text('vm_id').notNull(),
  repositoryId: text('repository_id').notNull(),
  parentId: text('parent_id'),
  createdMs: integer('created_ms').notNull(),
  validatedMs: integer('validated_ms'),
  origin: text('origin').$type<'manual' | 'scheduled' | 'publish' | 'safety'>().notNull(),
  name: text('name'),
  description: text('description'),
  /** Name of the plan that made it; null: nobody's plan. */
  plan: text('plan'),
  mode: text('mode').$type<'full' | 'incremental' | 'mixed'>().notNull(),
  consistency: text('consistency').$type<Consistency>().notNull(),
  freezeDurationMs: integer('freeze_duration_ms'),
  atRest: text('at_rest').$type<AtRest>(),
  disks: text('disks', { mode: 'json' }).$type<readonly PointDisk[]>().notNull(),
  logicalBytes: integer('logical_bytes').notNull(),
  readBytes: integer('read_bytes').notNull(),
  newBytes: integer('new_bytes').notNull(),
  verifyLevel: text('verify_level').$type<'validated' | 'spot-checked' | 'quick' | 'data' | 'full'>(),
  verifiedMs: integer('verified_ms'),
  verifyChunks: integer('verify_chunks'),
  /** When damage was found, and which; its validation was taken back then. */
  damagedMs: integer('damaged_ms'),
  damage: text('damage'),
  /** Why a disk was read in full that nobody had decided to read so; null: none was. */
  unexpectedFull: text('unexpected_full'),
  /** When a look found that the repository no longer has it; its validation was taken back then. */
  goneMs: integer('gone_ms'),
  manifestBytes: integer('manifest_bytes'),
  /** Change references that only the commit could name; losing them costs a full. */
  refs: text('refs', { mode: 'json' }).$type<readonly Json[]>().notNull(),
  workflowId: text('workflow_id'),
  runId: text('run_id'),
})

/**
 * Which point lies in which repository. What `points` says of a place, a validation or a damage is what holds for the best
 * of its copies (`copy-state.ts`).
 */
export const copies = sqliteTable(
  'copies',
  {
    pointId: text('point_id').notNull(),
    repositoryId: text('repository_id').notNull(),
    /** Of the point, for indexes; neither changes ever. */
    vmId: text('vm_id').notNull(),
    createdMs: integer('created_ms').notNull(),
    /** From where it is mirrored; null: it came from the hypervisor. */
    sourceId: text('source_id'),
    /** Its name there; null until it is there. */
    stem: text('stem'),
    state: text('state').$type<CopyState>().notNull(),
    wantedMs: integer('wanted_ms').notNull(),
    validatedMs: integer('validated_ms'),
    storedBytes: integer('stored_bytes'),
    verifyLevel: text('verify_level').$type<'validated' | 'spot-checked' | 'quick' | 'data' | 'full'>(),
    verifiedMs: integer('verified_ms'),
    verifyChunks: integer('verify_chunks'),
    /** Until when the store keeps it; null: not known, 0: not locked. */
    lockUntilMs: integer('lock_until_ms'),
    damagedMs: integer('damaged_ms'),
    damage: text('damage'),
    goneMs: integer('gone_ms'),
    removedMs: integer('removed_ms'),
    attempts: integer('attempts').notNull(),
    /** What failed is not tried again by itself before. */
    retryMs: integer('retry_ms'),
    problem: text('problem'),
    /** A person asked for it: it is made again also where it was removed. */
    byHand: integer('by_hand', { mode: 'boolean' }).notNull(),
    /** The run that has it in hand, or had it last. */
    runId: text('run_id'),
  },
  (table) => [primaryKey({ columns: [table.pointId, table.repositoryId] })],
)

export const runs = sqliteTable('runs', {
  runId: text('run_id').primaryKey(),
  workflowId: text('workflow_id').notNull(),
  kind: text('kind').$type<RunKind>().notNull(),
  state: text('state').$type<RunState>().notNull(),
  title: text('title').notNull(),
  vmId: text('vm_id'),
  repositoryId: text('repository_id'),
  pointId: text('point_id'),
  startedMs: integer('started_ms').notNull(),
  endedMs: integer('ended_ms'),
  progress: text('progress', { mode: 'json' }).$type<ProgressRecord>(),
  resumedTimes: integer('resumed_times').notNull(),
  bytesRead: integer('bytes_read'),
  bytesStored: integer('bytes_stored'),
  error: text('error', { mode: 'json' }).$type<ErrorNote>(),
  residue: text('residue', { mode: 'json' }).$type<readonly ResidueNote[]>().notNull(),
  summary: text('summary'),
  attention: text('attention'),
  requestedUser: text('requested_user').notNull(),
  requestedReason: text('requested_reason').notNull(),
  idempotencyKey: text('idempotency_key'),
  seenMs: integer('seen_ms').notNull(),
})

/** Closed histories, so that a runbook outlives the engine's retention. zstd of canonical protobuf JSON. */
export const histories = sqliteTable('histories', {
  runId: text('run_id').primaryKey(),
  workflowId: text('workflow_id').notNull(),
  eventCount: integer('event_count').notNull(),
  content: blob('content', { mode: 'buffer' }).notNull(),
  archivedMs: integer('archived_ms').notNull(),
})

export const drills = sqliteTable('drills', {
  id: text('id').primaryKey(),
  vmId: text('vm_id').notNull(),
  pointId: text('point_id').notNull(),
  repositoryId: text('repository_id').notNull(),
  verdict: text('verdict').$type<Verdict>().notNull(),
  why: text('why').notNull(),
  startedMs: integer('started_ms').notNull(),
  endedMs: integer('ended_ms').notNull(),
  rtoSeconds: real('rto_seconds'),
  restoreSeconds: real('restore_seconds').notNull(),
  bootSeconds: real('boot_seconds'),
  checks: text('checks', { mode: 'json' }).$type<readonly DrillCheckResult[]>().notNull(),
  screenshot: text('screenshot'),
  workflowId: text('workflow_id').notNull(),
  runId: text('run_id').notNull(),
  /** disks: those that were restored. */
  bootedFrom: text('booted_from').$type<'disks' | 'repository'>().notNull().default('disks'),
})

export const events = sqliteTable('events', {
  seq: integer('seq').primaryKey({ autoIncrement: true }),
  ms: integer('ms').notNull(),
  type: text('type').$type<EventType>().notNull(),
  subject: text('subject'),
})

export const idempotencyKeys = sqliteTable('idempotency_keys', {
  key: text('key').primaryKey(),
  request: text('request').notNull(),
  workflowId: text('workflow_id').notNull(),
  status: integer('status'),
  response: text('response'),
  createdMs: integer('created_ms').notNull(),
})

export const tokens = sqliteTable('tokens', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  hash: text('hash').notNull(),
  role: text('role').$type<'admin' | 'worker' | 'monitor'>().notNull(),
  createdMs: integer('created_ms').notNull(),
  expiresMs: integer('expires_ms'),
  /** Whose workers may show it; null: those of the server's own home. */
  site: text('site'),
})

export const sessions = sqliteTable('sessions', {
  hash: text('hash').primaryKey(),
  tokenId: text('token_id').notNull(),
  createdMs: integer('created_ms').notNull(),
  expiresMs: integer('expires_ms').notNull(),
})

/** What each repository holds of the catalog itself; the newest version, and how the last try went. */
export const ownBackups = sqliteTable('own_backups', {
  repositoryId: text('repository_id').primaryKey(),
  stem: text('stem'),
  madeMs: integer('made_ms'),
  coveredSeq: integer('covered_seq'),
  bytes: integer('bytes'),
  versions: integer('versions'),
  triedMs: integer('tried_ms'),
  error: text('error', { mode: 'json' }).$type<ErrorNote>(),
})

/** How long records of a kind are kept, where somebody has decided. */
export const keeping = sqliteTable('keeping', {
  kind: text('kind').primaryKey(),
  months: integer('months').notNull(),
  changedMs: integer('changed_ms').notNull(),
})

/** Who holds a slot and who waits for one; `needs`: `host/lab`, `repository/main`. */
export const slotClaims = sqliteTable('slot_claims', {
  runId: text('run_id').primaryKey(),
  workflowId: text('workflow_id').notNull(),
  kind: text('kind').notNull(),
  title: text('title').notNull(),
  priority: integer('priority').notNull(),
  needs: text('needs', { mode: 'json' }).$type<readonly string[]>().notNull(),
  requestedMs: integer('requested_ms').notNull(),
  grantedMs: integer('granted_ms'),
  toldMs: integer('told_ms'),
  leaseMs: integer('lease_ms').notNull(),
  parked: integer('parked', { mode: 'boolean' }).notNull(),
})

export const slotLimits = sqliteTable('slot_limits', {
  resource: text('resource').primaryKey(),
  slots: integer('slots').notNull(),
})

/** Retention sweeps, dry runs included. `waits_for`: a person, or the end of the grace time. */
export const sweeps = sqliteTable('sweeps', {
  runId: text('run_id').primaryKey(),
  workflowId: text('workflow_id').notNull(),
  repositoryId: text('repository_id').notNull(),
  state: text('state').$type<SweepState>().notNull(),
  dryRun: integer('dry_run', { mode: 'boolean' }).notNull(),
  digest: text('digest').notNull(),
  plannedMs: integer('planned_ms').notNull(),
  maxShare: real('max_share').notNull(),
  points: integer('points').notNull(),
  going: integer('going').notNull(),
  series: integer('series').notNull(),
  /** Series that would lose more than their share. */
  asking: integer('asking').notNull(),
  orphans: integer('orphans').notNull(),
  /** Name of each policy and its rules in words. */
  policies: text('policies', { mode: 'json' }).$type<readonly { name: string; rules: string }[]>().notNull(),
  waitsFor: text('waits_for').$type<'approval' | 'grace'>(),
  waitsUntilMs: integer('waits_until_ms'),
  approval: text('approval', { mode: 'json' }).$type<SweepApproval>(),
  removed: integer('removed').notNull(),
  refused: integer('refused').notNull(),
  /** Planned to go, and kept after all by a later look. */
  spared: integer('spared').notNull(),
  /** The look by which it was confirmed after a wait. */
  confirmedMs: integer('confirmed_ms'),
  endedMs: integer('ended_ms'),
  /** Whether it waits for a person in any case; null: nobody wrote it down. */
  approvalRequired: integer('approval_required', { mode: 'boolean' }),
})

/** With what sweeps run, where somebody has decided; `*`: those of all repositories that say nothing. */
export const sweepSettings = sqliteTable('sweep_settings', {
  repositoryId: text('repository_id').primaryKey(),
  graceMs: integer('grace_ms'),
  approval: text('approval').$type<SweepSettings['approval']>(),
  approveWithinMs: integer('approve_within_ms'),
  maxShare: real('max_share'),
  changedMs: integer('changed_ms').notNull(),
})

/** Repositories of which a person has approved a sweep since the catalog was made or rebuilt. */
export const sweepApprovals = sqliteTable('sweep_approvals', {
  repositoryId: text('repository_id').primaryKey(),
  approvedMs: integer('approved_ms').notNull(),
})

export const sweepSeries = sqliteTable(
  'sweep_series',
  {
    runId: text('run_id').notNull(),
    series: text('series').notNull(),
    vmId: text('vm_id'),
    vmName: text('vm_name').notNull(),
    policy: text('policy').notNull(),
    /** Why nobody makes points of it any more; null: somebody does. */
    orphan: text('orphan').$type<'vm-gone' | 'plan-gone' | 'unknown-vm'>(),
    points: integer('points').notNull(),
    going: integer('going').notNull(),
    asks: integer('asks', { mode: 'boolean' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.series] })],
)

export const sweepPoints = sqliteTable(
  'sweep_points',
  {
    runId: text('run_id').notNull(),
    stem: text('stem').notNull(),
    series: text('series').notNull(),
    pointId: text('point_id').notNull(),
    timeMs: integer('time_ms').notNull(),
    origin: text('origin').notNull(),
    policy: text('policy').notNull(),
    keptBy: text('kept_by', { mode: 'json' }).$type<readonly string[]>().notNull(),
    state: text('state').$type<SweptState>().notNull(),
    why: text('why'),
  },
  (table) => [primaryKey({ columns: [table.runId, table.stem] })],
)

export const seriesPolicies = sqliteTable(
  'series_policies',
  {
    repositoryId: text('repository_id').notNull(),
    series: text('series').notNull(),
    policy: text('policy').notNull(),
    vmId: text('vm_id'),
    vmName: text('vm_name').notNull(),
    rules: text('rules', { mode: 'json' }).$type<StoredRules>().notNull(),
    seenMs: integer('seen_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.repositoryId, table.series, table.policy] })],
)

/** Points that were removed on purpose: what is left of them is who did it, when and why. */
export const removedPoints = sqliteTable('removed_points', {
  id: text('id').primaryKey(),
  stem: text('stem').notNull(),
  vmId: text('vm_id'),
  repositoryId: text('repository_id').notNull(),
  createdMs: integer('created_ms').notNull(),
  origin: text('origin').notNull(),
  name: text('name'),
  removedMs: integer('removed_ms').notNull(),
  removedBy: text('removed_by').notNull(),
  why: text('why').notNull(),
})

/** Holds as the repository has them at the last look; the repository decides. */
export const holds = sqliteTable('holds', {
  name: text('name').primaryKey(),
  repositoryId: text('repository_id').notNull(),
  pointId: text('point_id').notNull(),
  type: text('type').$type<HoldType>().notNull(),
  actor: text('actor').notNull(),
  reason: text('reason').notNull(),
  ms: integer('ms'),
})

/** Garbage collections that a workflow ran. */
export const collections = sqliteTable('collections', {
  runId: text('run_id').primaryKey(),
  repositoryId: text('repository_id').notNull(),
  startedMs: integer('started_ms').notNull(),
  endedMs: integer('ended_ms').notNull(),
  why: text('why').notNull(),
  report: text('report', { mode: 'json' }).$type<CollectionRecord>().notNull(),
})

/** Runs of plans; `id` is the workflow id, `runId` its newest part. */
export const planRuns = sqliteTable('plan_runs', {
  id: text('id').primaryKey(),
  runId: text('run_id').notNull(),
  plan: text('plan').notNull(),
  trigger: text('trigger_by').$type<'schedule' | 'hand' | 'after'>().notNull(),
  openedMs: integer('opened_ms').notNull(),
  /** When its window opens, in words; null: it does not wait for that. */
  standsUntil: text('stands_until'),
  /** Id of the run of which it takes what did not go well; null: all that the plan selects. */
  again: text('again'),
})

/** What such a run takes, and what came of it. `lane`, `turn`: who has it in hand. */
export const planRunVms = sqliteTable(
  'plan_run_vms',
  {
    planRun: text('plan_run').notNull(),
    position: integer('position').notNull(),
    vmId: text('vm_id').notNull(),
    vmName: text('vm_name').notNull(),
    state: text('state')
      .$type<'waiting' | 'running' | 'completed' | 'completed-with-residue' | 'failed' | 'cancelled' | 'skipped'>()
      .notNull(),
    attempts: integer('attempts').notNull(),
    mayRetry: integer('may_retry', { mode: 'boolean' }).notNull(),
    lane: text('lane'),
    turn: integer('turn'),
    runId: text('run_id'),
    endedMs: integer('ended_ms'),
    detail: text('detail').notNull(),
  },
  (table) => [primaryKey({ columns: [table.planRun, table.position] })],
)

/** Up to when the starts of a plan were looked at. */
export const planWatches = sqliteTable('plan_watches', {
  plan: text('plan').primaryKey(),
  watchedMs: integer('watched_ms').notNull(),
})

/** Starts that were due and did not come. */
export const missedStarts = sqliteTable(
  'missed_starts',
  {
    plan: text('plan').notNull(),
    dueMs: integer('due_ms').notNull(),
    kind: text('kind').$type<MissedStartKind>().notNull(),
    noticedMs: integer('noticed_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.plan, table.dueMs] })],
)

/** Verifies of repositories. Figures are those of the last attempt; zero until it has ended. */
export const verifyRuns = sqliteTable('verify_runs', {
  runId: text('run_id').primaryKey(),
  workflowId: text('workflow_id').notNull(),
  repositoryId: text('repository_id').notNull(),
  level: text('level').$type<'quick' | 'data' | 'full'>().notNull(),
  quarantine: integer('quarantine', { mode: 'boolean' }).notNull(),
  /** Bytes of packs that were to be read at most; null: all. */
  budgetBytes: integer('budget_bytes'),
  state: text('state').$type<VerifyRunState>().notNull(),
  startedMs: integer('started_ms').notNull(),
  endedMs: integer('ended_ms'),
  points: integer('points').notNull(),
  packs: integer('packs').notNull(),
  packsResumed: integer('packs_resumed').notNull(),
  chunks: integer('chunks').notNull(),
  bytes: integer('bytes').notNull(),
  /** Objects proved damaged, and objects that could not be read. */
  damages: integer('damages').notNull(),
  unreadable: integer('unreadable').notNull(),
  quarantined: integer('quarantined').notNull(),
  damagedPoints: integer('damaged_points').notNull(),
  unreadablePoints: integer('unreadable_points').notNull(),
  mendedPoints: integer('mended_points').notNull(),
  notes: text('notes', { mode: 'json' }).$type<readonly string[]>().notNull(),
  notesLeft: integer('notes_left').notNull(),
  /** Why it could not come to its end. */
  error: text('error', { mode: 'json' }).$type<ErrorNote>(),
})

export const verifyFindings = sqliteTable(
  'verify_findings',
  {
    runId: text('run_id').notNull(),
    number: integer('number').notNull(),
    object: text('object').notNull(),
    pack: text('pack'),
    found: text('found').notNull(),
    message: text('message').notNull(),
    proved: integer('proved', { mode: 'boolean' }).notNull(),
    affects: text('affects', { mode: 'json' }).$type<VerifyFinding['affects']>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.number] })],
)

export * from './alert-schema.ts'
export * from './audit-schema.ts'
export * from './change-schema.ts'
export * from './evidence-schema.ts'
export * from './instant-schema.ts'
export * from './link-schema.ts'
export * from './recovery-plan-schema.ts'
export * from './replication-schema.ts'
export * from './repository-schema.ts'
export * from './retention-audit-schema.ts'
export * from './site-schema.ts'
export * from './total-schema.ts'
export * from './watch-schema.ts'
