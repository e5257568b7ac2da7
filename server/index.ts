/**
 * Processes and how they are put together: configuration, embedded Temporal, worker roles, supervision. Everything
 * that is started here ends with the process that started it.
 */
export { homeOf, makeHome, serverConfig, temporalTarget, usesOwnTemporal, workerConfig } from './config.ts'
export type { Environment, Home, ServerConfig, TemporalTarget, WorkerConfig } from './config.ts'
export { findTemporalCli } from './temporal-cli.ts'
export type { CliAttempt, TemporalCli } from './temporal-cli.ts'
export { prepareNamespace, startEmbeddedTemporal } from './temporal-server.ts'
export type { EmbeddedTemporal } from './temporal-server.ts'
export { Supervisor } from './supervisor.ts'
export type { Child, ChildSpec } from './supervisor.ts'
export { resolveSecret } from './secrets.ts'
export { processLog } from './log.ts'
