/**
 * Pure rules: what a category promises and how far reality is from it. No I/O and no clock of its own, so every rule is
 * a function of its arguments and can be tested with any moment.
 */
export { categories, categoryNames, defaultCategory } from './categories.ts'
export type { Category, CategoryName } from './categories.ts'
export { posture, renewalGrace } from './posture.ts'
export type { Posture, PostureFacts, PostureState } from './posture.ts'
export { isEmptyPolicy, retention } from './retention.ts'
export type { KeepRules, RetainedPoint, Retention } from './retention.ts'
