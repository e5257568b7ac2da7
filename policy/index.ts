/**
 * Pure rules: what categories and plans promise, which VMs and disks they mean, and how far reality is from it. No I/O
 * and no clock of its own, so every rule is a function of its arguments and can be tested with any moment.
 */
export { defaultCategories, defaultCategory, isDefaultCategory } from './categories.ts'
export type { Category, CategoryName, Copies, Keep, VmOverride } from './categories.ts'
export { allDisks, planDefaults, selectorFields, weekdays } from './plan.ts'
export type {
  BandwidthLimit,
  DiskRule,
  DiskSelection,
  Plan,
  PlanHook,
  PlanSpec,
  PlanTarget,
  Quiesce,
  Schedule,
  SelectorField,
  SelectorRule,
  Weekday,
  Window,
} from './plan.ts'
export { posture, renewalGrace } from './posture.ts'
export type { Posture, PostureFacts, PostureState } from './posture.ts'
export { isEmptyPolicy, retention } from './retention.ts'
export type { KeepRules, RetainedPoint, Retention } from './retention.ts'
export { parseCron } from './cron.ts'
export { isTimeZone } from './clock.ts'
export { checkSchedule, nextOccurrences, timingOf } from './schedule.ts'
export type { Occurrence, ScheduleTiming } from './schedule.ts'
export { engineSpec, meansTheSame } from './schedule-spec.ts'
export type { DescribedSpec, EngineSpec } from './schedule-spec.ts'
export { describeSchedule } from './schedule-words.ts'
export { bandwidthAt, checkHours, windowAt } from './window.ts'
export type { BandwidthState, Hours, WindowState } from './window.ts'
export { isOwnBackupDue, ownBackupKeeps, ownBackupPace, ownBackupState } from './own-backup.ts'
export type { OwnBackupFacts, OwnBackupPace } from './own-backup.ts'
export { keptSince, longestKeeping, recordKinds } from './keeping.ts'
export type { RecordKind } from './keeping.ts'
