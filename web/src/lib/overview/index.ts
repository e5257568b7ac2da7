/** The first page: the sentence, what needs someone, and the figures. */
export { default as FirstStart } from './FirstStart.svelte'
export { default as Needs } from './Needs.svelte'
export { default as NextHours } from './NextHours.svelte'
export { default as Protection } from './Protection.svelte'
export { default as RunningNow } from './RunningNow.svelte'
export { default as ThirtyDays } from './ThirtyDays.svelte'
export { leadParts } from './lead.ts'
