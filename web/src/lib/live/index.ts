/** The present: the event stream with its fallback, and the server's time. Pages listen, they never poll themselves. */
export { live } from './stream.svelte.ts'
export { learnServerTime, now } from './now.svelte.ts'
