/** What goes when, what stays and which rule keeps it. */
export { default as ApproveDialog } from './ApproveDialog.svelte'
export { default as AuditBlock } from './AuditBlock.svelte'
export { default as PointsPanel } from './PointsPanel.svelte'
export { default as SeriesTable } from './SeriesTable.svelte'
export { default as SweepDialog } from './SweepDialog.svelte'
export { default as SettingsBlock } from './SettingsBlock.svelte'
export { sentenceOf, sweepLooks, waitEndOf, wantsApproval } from './words.ts'
