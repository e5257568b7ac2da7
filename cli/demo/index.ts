/**
 * `npm run demo`: the main job in front of one's eyes, on real parts. Also the way in which the tests that span
 * folders start a whole Holdfast, kill its processes and wait for its runs.
 */
export { Installation } from './installation.ts'
export type { InstallationOptions, NewRepository, Role } from './installation.ts'
export { readRunbook, waitFor, waitForCompletion, waitForEnd } from './runs.ts'
export type { Runbook } from './runs.ts'
export { finishBackup, guestChecks, sessionObjects, startBackup } from './scenes.ts'
export { waitForJournals, writeFigures } from './scenes.ts'
export type { Backup, Tuning } from './scenes.ts'
export { claimHome, setStage } from './stage.ts'
export type { DemoStage, Narrator } from './stage.ts'
export { nothingMeasured, unproven } from './proven.ts'
export { tellStory } from './story.ts'
export type { Learn } from './story.ts'
export { summaryOf, summaryText } from './summary.ts'
