/** How fast may be copied: limits by hours of the day, of plans and of the links between hypervisors and repositories. */
export { default as LimitRows } from './LimitRows.svelte'
export { default as Links } from './Links.svelte'
export { linkName, limitWords } from './words.ts'
