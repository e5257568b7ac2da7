/**
 * All workflows, for the bundle that a workflow worker runs. Each process has its folder: `contract.ts` for those who
 * start and watch it, `workflow.ts` for what it does. Workflow code is deterministic: no I/O, no clock of its own.
 */
export { backupVm } from './backup/workflow.ts'
export { restoreVm } from './restore/workflow.ts'
export { instantRestore } from './instant/workflow.ts'
export { fileRestore } from './files/workflow.ts'
export { restoreFiles } from './files/restore.ts'
export { restoreDrill } from './drill/workflow.ts'
export { backUpCatalog, measureRepository } from './housekeeping/workflow.ts'
export { retentionSweep } from './retention/workflow.ts'
export { verifyRepository } from './verify/workflow.ts'
export { mirrorRepository } from './mirror/workflow.ts'
export { replicateVm } from './replication/workflow.ts'
export { failOver } from './replication/failover.ts'
export { testFailover } from './replication/test.ts'
export { keepPoint, removePoint } from './retention/points.ts'
export { recoveryPlan } from './recovery-plan/workflow.ts'
export { planRun } from './plan/workflow.ts'
export { discoverEndpoint, testRepository, testSite, checkRestore, lookAtImages } from './inventory/workflow.ts'
