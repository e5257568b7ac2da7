/** Files of a point that is open: its volumes, a folder of one of them, and what is taken out of it; or its disks as images. */
export { default as Disks } from './Disks.svelte'
export { default as FilePanel } from './FilePanel.svelte'
export { default as Folder } from './Folder.svelte'
export { default as Search } from './Search.svelte'
export { default as Volumes } from './Volumes.svelte'
export { crumbsOf, placeHref, shownHref } from './words.ts'
