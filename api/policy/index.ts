/**
 * Policy as code: reads a policy file with line and column of every problem, tells the difference to what exists, makes it
 * so, and writes what exists back into a file. The file's shape is the API's, with durations and sizes in words.
 */
export { applyPolicy, differenceTo, memberChanges, readPolicy } from './difference.ts'
export { writePolicyFile } from './export.ts'
export { planFarewell } from './farewell.ts'
export { refuseWhileFollowed } from './followers.ts'
export { joinPlan } from './members.ts'
export { startsInWords } from './usual.ts'
export { previewPlan } from './preview.ts'
export { categoryRemovals, comparePolicy, vmRemovals } from './removals.ts'
export { currentPolicy, knownNames } from './state.ts'
