/** A VM and its recovery points: the map, the tables, the panel, and the words for what they show. */
export { default as DrillTable } from './DrillTable.svelte'
export { default as PointMap } from './PointMap.svelte'
export { default as PointPanel } from './PointPanel.svelte'
export { default as PointTable } from './PointTable.svelte'
export { default as VmFacts } from './VmFacts.svelte'
export { default as VmHead } from './VmHead.svelte'
export { checkedWords, consistencyOf, keptWords, modeWords, originWords, platformNames } from './words.ts'
