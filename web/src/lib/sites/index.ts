/** Sites: who works there, what is of them, and what a worker there reaches. */
export { default as Reached } from './Reached.svelte'
export { default as SiteDialog } from './SiteDialog.svelte'
export { default as SiteTable } from './SiteTable.svelte'
export { default as Tokens } from './Tokens.svelte'
export { default as Workers } from './Workers.svelte'
export { reachLook, siteLook, sitesSentence } from './words.ts'
