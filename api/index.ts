/**
 * The public face: REST under `/api/v1` with its OpenAPI document, one event stream, and the built dashboard. It starts
 * workflows and reads the catalog; what touches hypervisors and repositories is asked of the workers.
 * Assembly: `openCatalog`, `ensureAdminToken`, `temporalOrchestrator(client)`, `liveRuns(…)` (call its `run(signal)`),
 * then `passingOn(createApp(deps).fetch)` is what Node's HTTP server serves.
 */
export { alertKeeper } from './alerts/index.ts'
export type { DrillPace } from './drill-keeper.ts'
export { housekeeping } from './housekeeping.ts'
export { createApp } from './app.ts'
export type { ApiDeps, ApiLog, LiveRuns, Sender, ToRunbook } from './deps.ts'
export { dropEvidence, keepEvidence, readEvidence } from './evidence.ts'
export { liveRuns } from './live.ts'
export type { Pace } from './live.ts'
export type { Orchestrator } from './orchestrator.ts'
export { ensureAdminToken, hashOf, newSecret } from './secrets.ts'
export { passingOn } from './pass-on.ts'
export { probeRecordOf, testRecordOf } from './site-checks.ts'
export { scheduleKeeper } from './schedule-keeper.ts'
export type { Reconciled, ScheduleKeeper } from './schedule-keeper.ts'
export { sequenceKeeper } from './sequence-keeper.ts'
export { slotKeeper } from './slot-keeper.ts'
export { temporalOrchestrator } from './temporal-orchestrator.ts'
