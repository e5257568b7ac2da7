/**
 * Pure rules: what categories and plans promise, which VMs and disks they mean, and how far reality is from it. No I/O
 * and no clock of its own, so every rule is a function of its arguments and can be tested with any moment.
 */
export { defaultCategories, defaultCategory, isDefaultCategory } from './categories.ts'
export type { Category, CategoryName, Copies, DrillRules, Keep, VmOverride } from './categories.ts'
export { allDisks, planDefaults, selectorFields, weekdays } from './plan.ts'
export type {
  BandwidthLimit,
  DiskRule,
  DiskSelection,
  Plan,
  PlanConsistency,
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
export { chooseDisks, leftOut } from './disks.ts'
export type { LeftOut, SelectableDisk } from './disks.ts'
export { backupSettings, effectivePolicy, keepFor, mostByHand } from './effective.ts'
export type { BackupSettings, EffectivePolicy, Origin, PolicyParts, Sourced, TargetPolicy } from './effective.ts'
export { isFullDue, isUnexpectedFull } from './full.ts'
export { matchesPattern } from './pattern.ts'
export { manualQuotaProblem } from './quota.ts'
export { brokenRules, isSelected } from './select.ts'
export type { SelectableVm } from './select.ts'
export { dueBetween } from './due-between.ts'
export { bytesOf, heldAt, simulateRetention } from './simulate.ts'
export type { Growth, Held, SimulatedPoint, Simulation } from './simulate.ts'
export { categoryProblems, nearest, overrideProblems, planProblems } from './validate.ts'
export type { Known, PolicyProblem } from './validate.ts'
export { isDatedAhead, posture, renewalGrace, spreadMs, startSpread } from './posture.ts'
export type { Posture, PostureFacts, PostureState } from './posture.ts'
export { blindAfterMs, clockMovesMs, hasMoved, isWithin, lookState, saysGone, viewClock } from './watch.ts'
export type { ClockReading, ClockView, LookFacts, LookState } from './watch.ts'
export { keptTitle, titleKey, toQuestions, withUsual } from './drill-checks.ts'
export {
  digestCadences,
  failingAttempts,
  isDigestDue,
  isRouted,
  isTellable,
  retryDelay,
  routeProblems,
  settleMs,
} from './alerts.ts'
export type { AlertRoute, AlertSeverity, DigestCadence } from './alerts.ts'
export type { DrillCheckSpec } from './drill-checks.ts'
export { drillDefinition, usualBootMs } from './drill-definition.ts'
export type { DrillDefinition } from './drill-definition.ts'
export { drillTimes } from './drills.ts'
export type { DrillFacts, DrillTimes } from './drills.ts'
export { copyShortages, mediaClasses, usualMedia } from './copies.ts'
export type { CopyShortage, MediaClass } from './copies.ts'
export { isDiscoveryDue, isListingStale } from './discovery.ts'
export type { DiscoveryFacts } from './discovery.ts'
export { expectedRates } from './rates.ts'
export type { MeasuredRate, Rates } from './rates.ts'
export { weaknesses, weaknessWords } from './weaknesses.ts'
export type { Weakness, WeaknessFacts } from './weaknesses.ts'
export { isEmptyPolicy, retention, widest } from './retention.ts'
export type { KeepRules, RetainedPoint, Retention } from './retention.ts'
export { isMeasuringDue, measuringPace } from './measuring.ts'
export { copyRetryAfterMs, isMirrorDue, lagAllowedMs, longestCopyWaitMs, mirrorLagMs } from './mirror.ts'
export type { MirrorFacts } from './mirror.ts'
export {
  isBack,
  mostMembers,
  mostTiers,
  recoveryEnds,
  recoveryProblems,
  recoveryStages,
  rehearsalDueMs,
  tierChoices,
  tierNeeds,
  tiersBefore,
  unitedMs,
} from './recovery.ts'
export { originalProblems, originalWords } from './originals.ts'
export type { OriginalFacts, SeenOriginal } from './originals.ts'
export type {
  ManualStep,
  MemberEvidence,
  RecoveryEnd,
  RecoveryMember,
  RecoveryMode,
  RecoveryProblem,
  RecoverySpec,
  RecoveryTier,
  TierChoice,
  TierNeed,
} from './recovery.ts'
export {
  defaultRpoMs,
  isCycleDue,
  longestRpoMs,
  mostLinks,
  pairRefusal,
  replicationLagMs,
  replicationRefusal,
  standingStill,
  shortestRpoMs,
} from './replication.ts'
export type { ReplicationAct, ReplicationState, SiblingPair } from './replication.ts'
export { habitPoints, judgeChange, turnedOf } from './anomaly.ts'
export type { ChangeFigures, ChangeSign, ChangeVerdict, PastChange } from './anomaly.ts'
export { forecastUsage } from './forecast.ts'
export type { Forecast, ForecastState, UsageSample } from './forecast.ts'
export { whatIf } from './what-if.ts'
export type { WhatIf, WhatIfMark } from './what-if.ts'
export { parseCron } from './cron.ts'
export { isTimeZone } from './clock.ts'
export type { SkippedTime } from './clock-notes.ts'
export { checkSchedule, dueTimes, nextOccurrences, skippedStarts, timingOf } from './schedule.ts'
export type { Occurrence, ScheduleTiming } from './schedule.ts'
export { engineSpec, meansTheSame } from './schedule-spec.ts'
export type { DescribedSpec, EngineSpec } from './schedule-spec.ts'
export { missedStarts, missedWords } from './starts.ts'
export type { MissedStart, MissedStartKind, StartFacts } from './starts.ts'
export { describeSchedule, momentInWords, timeInWords } from './schedule-words.ts'
export { longestOpenMs, planWindowAt } from './plan-window.ts'
export type { WindowNow } from './plan-window.ts'
export { bandwidthAt, checkHours, windowAt } from './window.ts'
export type { BandwidthState, Hours, WindowState } from './window.ts'
export { isOwnBackupDue, ownBackupKeeps, ownBackupPace, ownBackupState } from './own-backup.ts'
export type { OwnBackupFacts, OwnBackupPace } from './own-backup.ts'
export { keptSince, longestKeeping, recordKinds } from './keeping.ts'
export type { RecordKind } from './keeping.ts'
export { isRecordKind, recordProblems, scrubProblems, slotProblems, sweepScopeProblems } from './settings.ts'
export {
  linkDirections,
  linkKey,
  linkKeys,
  leavingKeys,
  storingKeys,
  linkName,
  linkProblems,
  namedLinkProblems,
  parseLinkKey,
  parseLinkName,
} from './links.ts'
export type { LinkDirection, LinkEnds, LinkLimits } from './links.ts'
export { backgroundPriority, defaultSlots, fullFor, grantable, slotKindOf, slotKinds } from './slots.ts'
export type { SlotClaim, SlotKind } from './slots.ts'
export { isScrubDue, nextScrubMs } from './scrub.ts'
export {
  emptyPolicy,
  isSweepDue,
  nextSweepMs,
  noPolicy,
  planSweep,
  rulesInWords,
  sharesOf,
  worthCollecting,
} from './sweep.ts'
export { nothingSet, sweepBounds, sweepDefaults, sweepOverdueAfterMs, sweepSettingsOf } from './sweep-settings.ts'
export type { OwnSweepSettings, SweepSettings } from './sweep-settings.ts'
export type { CollectionFacts, PlannedPoint, RulesOf, SeriesShare, SweepFacts, SweepPoint } from './sweep.ts'
export { nobodyKnows, Rulebook } from './rulebook.ts'
export type { PointPolicy, RuleSource } from './rulebook.ts'
