/** Dialogs that start something. Each says what it does and what it leaves alone, and shows the same act as a command. */
export { default as BackupDialog } from './BackupDialog.svelte'
export { default as DrillDialog } from './DrillDialog.svelte'
export { default as HoldDialog } from './HoldDialog.svelte'
export { default as ImportDialog } from './ImportDialog.svelte'
export { default as JoinPlanDialog } from './JoinPlanDialog.svelte'
export { default as VerifyDialog } from './VerifyDialog.svelte'
export { quoted } from './commands.ts'
