/**
 * Heal (docs/repository-format.md §12.3): what `bad/` names and points still need is stored again, from another place here or
 * from a mirror, in new packs; points whose own objects are damaged come back from a mirror under a fresh name. New objects
 * only: nothing is deleted or altered.
 */
export { heal } from './heal.ts'
