/**
 * The public face as data: every route with its schemas, without any handler. The document `api/openapi.json`, the
 * command line's client and the dashboard's are made from it.
 */
export * as alertRoutes from './alerts.ts'
export * as drillRoutes from './drills.ts'
export * as fileRoutes from './files.ts'
export * as hypervisorRoutes from './hypervisors.ts'
export * as instantRoutes from './instants.ts'
export * as mirrorRoutes from './mirrors.ts'
export * as ownRoutes from './own.ts'
export * as pointRoutes from './points.ts'
export * as policyRoutes from './policy.ts'
export * as recoveryPlanRoutes from './recovery-plans.ts'
export * as replicationRoutes from './replications.ts'
export * as repositoryRoutes from './repositories.ts'
export * as retentionRoutes from './retention.ts'
export * as restoreRoutes from './restores.ts'
export * as runRoutes from './runs.ts'
export * as scrubRoutes from './scrubs.ts'
export * as slotRoutes from './slots.ts'
export * as systemRoutes from './system.ts'
export * as verifyRoutes from './verify.ts'
export * as vmRoutes from './vms.ts'
