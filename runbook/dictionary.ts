import type { Phase, RunKind } from './types.ts'

interface Entry {
  readonly phase: Phase
  readonly title: string
  /** Of interest only when it fails. */
  readonly quiet?: boolean
}

/** Every step by its type: where it belongs, and its title if the history has none. */
const entries: { readonly [type: string]: Entry } = {
  recordRunStarted: { phase: 'prepare', title: 'Write down that the run has started', quiet: true },
  claimSlots: { phase: 'prepare', title: 'Ask for a slot', quiet: true },
  knownDamage: { phase: 'prepare', title: 'Look whether a point is known to be damaged', quiet: true },
  preflight: { phase: 'prepare', title: 'Look at VM, hypervisor and repository' },
  shutDown: { phase: 'quiesce', title: 'Shut the guest down' },
  startAgain: { phase: 'quiesce', title: 'Start the VM again' },
  openPoint: { phase: 'quiesce', title: 'Freeze, snapshot, thaw' },
  openSession: { phase: 'copy', title: 'Open a repository session' },
  auditTracker: { phase: 'copy', title: 'Audit the change tracker' },
  copyDisk: { phase: 'copy', title: 'Copy a disk' },
  checkPoint: { phase: 'commit', title: 'Was the point whole until the last byte was read?' },
  commitBackup: { phase: 'commit', title: 'Write the manifest, validate the point' },
  findCommitted: { phase: 'commit', title: 'Look whether the point exists' },
  spotCheck: { phase: 'verify', title: 'Read random chunks back' },
  comparePoint: { phase: 'verify', title: 'Compare with the point before' },
  recordChange: { phase: 'verify', title: 'Judge what changed' },
  releasePoint: { phase: 'cleanup', title: 'Advance the change reference, drop the snapshot' },
  recordPoint: { phase: 'cleanup', title: 'Write the point into the catalog', quiet: true },
  recordDamage: { phase: 'verify', title: 'Write down that the point is damaged' },
  endSession: { phase: 'cleanup', title: 'Close the repository session' },
  recordRunFinished: { phase: 'cleanup', title: 'Write down how the run ended', quiet: true },
  ensureRunning: { phase: 'quiesce', title: 'Make sure that the guest runs' },
  abortPoint: { phase: 'quiesce', title: 'Remove snapshot, scratch and exports' },
  'child:backupVm': { phase: 'prepare', title: 'Take the safety point' },
  planRestore: { phase: 'prepare', title: 'Check the point and the target' },
  createTarget: { phase: 'restore', title: 'Make the target' },
  restoreDisk: { phase: 'restore', title: 'Write a disk' },
  finalizeTarget: { phase: 'restore', title: 'Put the target together' },
  readPower: { phase: 'prepare', title: 'Does the VM run?' },
  powerVm: { phase: 'boot', title: 'Change the power state' },
  handOverTarget: { phase: 'cleanup', title: 'Take our mark off the VM' },
  revertTarget: { phase: 'restore', title: 'Put the old disks back' },
  destroyTarget: { phase: 'cleanup', title: 'Remove what this run made at the target' },
  bootIsolated: { phase: 'boot', title: 'Boot in isolation' },
  waitForGuest: { phase: 'boot', title: 'Wait until the guest answers' },
  runGuestCheck: { phase: 'prove', title: 'Check the guest' },
  takeScreenshot: { phase: 'prove', title: 'Take a picture of the screen' },
  surveyRetention: { phase: 'survey', title: 'Read every point' },
  planSweep: { phase: 'survey', title: 'Plan what goes' },
  recordSweepState: { phase: 'cleanup', title: 'Write down how far the sweep is', quiet: true },
  confirmSweep: { phase: 'approve', title: 'Spare what is kept by now' },
  nextSweepBatch: { phase: 'remove', title: 'Write down what went, take the next points', quiet: true },
  tombstonePoints: { phase: 'remove', title: 'Put tombstones' },
  tidyRepository: { phase: 'remove', title: 'Remove what has a tombstone' },
  prepareCollection: { phase: 'collect', title: 'Is a collection worth its reading?' },
  collectGarbage: { phase: 'collect', title: 'Collect garbage' },
  recordCollection: { phase: 'collect', title: 'Write down what it freed', quiet: true },
  openPlanRun: { phase: 'prepare', title: 'Which VMs does the plan take?' },
  heedWindow: { phase: 'backups', title: 'Is the window of the plan open?', quiet: true },
  nextPlanVm: { phase: 'backups', title: 'Which VM is next?', quiet: true },
  closePlanRun: { phase: 'cleanup', title: 'What came of each VM?' },
  beginVerify: { phase: 'prepare', title: 'Open the repository' },
  recordVerifyStarted: { phase: 'prepare', title: 'Write down what is verified', quiet: true },
  checkRepository: { phase: 'verify', title: 'Check the repository' },
  recordFindings: { phase: 'verify', title: 'Write down what was found' },
  recordVerifyEnd: { phase: 'cleanup', title: 'Write down how the verify ended', quiet: true },
  recordInstant: { phase: 'prepare', title: 'Write down what is served', quiet: true },
  recordInstantState: { phase: 'cleanup', title: 'Write down how far it is', quiet: true },
  serveDisks: { phase: 'boot', title: 'Serve the disks' },
  bootInstant: { phase: 'boot', title: 'Boot on what is served' },
  readsOfBoot: { phase: 'boot', title: 'Note what the boot has read' },
  attendInstant: { phase: 'boot', title: 'The VM runs from the repository' },
  migrateInstant: { phase: 'restore', title: 'Copy the VM while it runs' },
  prepareFiles: { phase: 'prepare', title: 'Make the micro-VM ready' },
  openFiles: { phase: 'look', title: 'The files of the point are open' },
  planFilesRestore: { phase: 'prepare', title: 'Ask the guest for the place' },
  restoreFilesToGuest: { phase: 'restore', title: 'Write files into the guest' },
  dropStagedFiles: { phase: 'cleanup', title: 'Remove what is not whole from the guest' },
  closeFiles: { phase: 'cleanup', title: 'Close the point' },
  endServing: { phase: 'cleanup', title: 'Serve the point no more' },
  nextCopies: { phase: 'copy', title: 'Write down what is there, take the next points', quiet: true },
  mirrorPoint: { phase: 'copy', title: 'Copy a point and read it back' },
  releaseCopies: { phase: 'cleanup', title: 'Give back what is not copied yet' },
  beginReplication: { phase: 'prepare', title: 'May this be done now?', quiet: true },
  inspectStandby: { phase: 'prepare', title: 'What does the standby hold?' },
  openSource: { phase: 'quiesce', title: 'Freeze, snapshot, thaw' },
  beginState: { phase: 'copy', title: 'Make the volumes of the new state' },
  replicateDisk: { phase: 'copy', title: 'Bring a disk over' },
  publishState: { phase: 'commit', title: 'The standby holds the state from now on' },
  recordState: { phase: 'cleanup', title: 'Write down what the standby holds', quiet: true },
  endReplication: { phase: 'cleanup', title: 'Write down how it ended', quiet: true },
  fenceSource: { phase: 'prepare', title: 'Switch the source off' },
  takeOver: { phase: 'boot', title: 'Start the standby' },
  withdrawTakeover: { phase: 'boot', title: 'End the standby; it follows again' },
  adoptStandby: { phase: 'cleanup', title: 'The standby follows again' },
  releaseStandby: { phase: 'cleanup', title: 'It is nobody’s standby any more' },
  removeStandby: { phase: 'cleanup', title: 'Remove the standby' },
  forgetReplication: { phase: 'cleanup', title: 'Write down that nothing follows', quiet: true },
  testStandby: { phase: 'boot', title: 'Boot a copy of the standby' },
  endStandbyTest: { phase: 'cleanup', title: 'Remove the copy' },
  recordStandbyTest: { phase: 'cleanup', title: 'Write down what came of the test', quiet: true },
  nextChosen: { phase: 'prepare', title: 'Which points, in which repositories?', quiet: true },
  holdPoints: { phase: 'prepare', title: 'Hold the chosen points' },
  recordHolds: { phase: 'prepare', title: 'Write down what is held', quiet: true },
  releaseHoldsBy: { phase: 'cleanup', title: 'Let go of the chosen points' },
  recordRelease: { phase: 'cleanup', title: 'Write down what was let go', quiet: true },
  openRecovery: { phase: 'prepare', title: 'What does the plan say?' },
  beginTier: { phase: 'tiers', title: 'Begin a tier' },
  admitRecovery: { phase: 'prepare', title: 'Would a second VM come to be?' },
  isRecoveryOpen: { phase: 'boot', title: 'Does its recovery plan go on?', quiet: true },
  planMember: { phase: 'tiers', title: 'Which point, and where?', quiet: true },
  noteTier: { phase: 'tiers', title: 'Write down how far a tier is', quiet: true },
  noteMember: { phase: 'tiers', title: 'Write down how a VM is', quiet: true },
  closeRecovery: { phase: 'cleanup', title: 'Write down what came of it' },
  'child:restoreDrill': { phase: 'tiers', title: 'Bring a VM back in isolation' },
  'child:restoreVm': { phase: 'tiers', title: 'Bring a VM back' },
  recordProof: { phase: 'prove', title: 'Attach the verdict to the point' },
}

export function entryOf(type: string, base: string, kind: RunKind): Entry {
  // The same step, at two places: shutting down belongs to the preparation, starting to the end.
  if (base === 'survey-again') return { phase: 'approve', title: 'Read the points again' }
  if (type === 'powerVm' && base === 'power-off') return { phase: 'prepare', title: 'Shut the VM down' }
  if (type === 'readPower' && kind === 'backup') return { phase: 'quiesce', title: 'Does the VM run?' }
  if (type === 'readPower' && (base === 'running' || base === 'power-before'))
    return { phase: 'boot', title: 'Does the VM run?' }
  if (type === 'child:backupVm' && kind === 'plan') return { phase: 'backups', title: 'Back up a VM' }
  return entries[type] ?? { phase: 'prepare', title: type }
}

/** Phases of a run in their order; each has its place on the page even before it is reached. */
export const phasesOf: { readonly [kind in RunKind]: readonly Phase[] } = {
  backup: ['prepare', 'quiesce', 'copy', 'commit', 'verify', 'cleanup'],
  restore: ['prepare', 'restore', 'boot', 'cleanup'],
  drill: ['prepare', 'restore', 'boot', 'prove', 'cleanup'],
  plan: ['prepare', 'backups', 'cleanup'],
  retention: ['prepare', 'survey', 'approve', 'remove', 'collect', 'cleanup'],
  verify: ['prepare', 'verify', 'cleanup'],
  instant: ['prepare', 'boot', 'restore', 'cleanup'],
  mirror: ['prepare', 'copy', 'cleanup'],
  files: ['prepare', 'look', 'cleanup'],
  replication: ['prepare', 'quiesce', 'copy', 'commit', 'cleanup'],
  failover: ['prepare', 'quiesce', 'copy', 'commit', 'restore', 'boot', 'cleanup'],
  recovery: ['prepare', 'tiers', 'cleanup'],
}

export const phaseTitles: { readonly [phase in Phase]: string } = {
  prepare: 'Prepare',
  quiesce: 'Quiesce',
  copy: 'Copy',
  commit: 'Commit',
  verify: 'Verify',
  restore: 'Restore',
  boot: 'Boot',
  prove: 'Prove',
  backups: 'Backups',
  tiers: 'Tiers',
  look: 'Look',
  survey: 'Plan',
  approve: 'Look again',
  remove: 'Remove',
  collect: 'Collect garbage',
  cleanup: 'Clean up',
}

export const runTitles: { readonly [kind in RunKind]: string } = {
  backup: 'Backup of',
  restore: 'Restore of',
  drill: 'Drill of',
  retention: 'Retention of',
  plan: 'Plan',
  verify: 'Verify of',
  instant: 'Instant restore of',
  mirror: 'Mirror of',
  files: 'Files of',
  replication: 'Replication of',
  failover: 'Standby of',
  recovery: 'Recovery plan',
}

/** Steps that move a disk: they carry progress, and are resumed rather than repeated. */
export function isMove(type: string): boolean {
  return type === 'copyDisk' || type === 'restoreDisk' || type === 'replicateDisk'
}
