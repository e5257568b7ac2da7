/**
 * Processes and how they are put together: configuration, embedded Temporal, worker roles, supervision. Everything
 * that is started here ends with the process that started it.
 */
export { homeOf, makeHome, serverConfig, temporalTarget, usesOwnTemporal, workerConfig } from './config.ts'
export type { Environment, Home, ServerConfig, TemporalTarget, WorkerConfig } from './config.ts'
export { fromPyPI, type Wheel } from './programs.ts'
export { findTemporalCli } from './temporal-cli.ts'
export type { CliAttempt, TemporalCli } from './temporal-cli.ts'
export { freePort, prepareNamespace, startEmbeddedTemporal } from './temporal-server.ts'
export type { EmbeddedTemporal } from './temporal-server.ts'
export { Supervisor } from './supervisor.ts'
export type { Child, ChildSpec } from './supervisor.ts'
export { resolveSecret } from './secrets.ts'
export { processLog } from './log.ts'
export { takePlace, whoIs } from './place.ts'
export { rebuild } from './rebuild/index.ts'
export type { RebuildReport } from './rebuild/index.ts'
export { runServer } from './run-server.ts'
export type { RunServerOptions } from './run-server.ts'
export { runUp } from './run-up.ts'
export type { RunUpOptions, UpReady } from './run-up.ts'
export { runWorker } from './run-worker.ts'
export type { RunWorkerOptions } from './run-worker.ts'
