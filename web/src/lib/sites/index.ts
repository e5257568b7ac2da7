/** Sites: who works there, what is of them, what a worker there reaches and by which way, and what names are elsewhere. */
export { default as Names } from './Names.svelte'
export { default as Reached } from './Reached.svelte'
export { default as SiteDialog } from './SiteDialog.svelte'
export { default as SiteTable } from './SiteTable.svelte'
export { default as Tokens } from './Tokens.svelte'
export { default as Workers } from './Workers.svelte'
export { reachLook, siteLook, sitesSentence } from './words.ts'
