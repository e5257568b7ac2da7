/**
 * Hostile bytes for every decoder of the repository: what is read from a store is read from an enemy (docs/repository-
 * format.md §18). A target says what it decodes; the properties are the same for all; complete.test.ts fails for a decoder
 * that no target reaches. Nothing of it is used outside tests and `npm run fuzz`.
 */
export { jsonSamples, jsonTargets, withChanges, type JsonSample } from './json.ts'
export { layouts } from './layouts.ts'
export { propertiesOf, type HostileProperty } from './properties.ts'
export { sealed } from './sealed.ts'
export { attempt, type FuzzTarget } from './target.ts'
export { texts } from './texts.ts'
export { unlockCovers, unlockProperty } from './unlock.ts'
