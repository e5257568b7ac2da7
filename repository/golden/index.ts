/**
 * The golden repository: what a released version wrote, committed as it is, and read by the tests of every later version
 * (docs/repository-format.md §18). `scene.ts` says what is in it and stores the same for other tests; `make.ts` makes one
 * for a new format version.
 */
export { hashState, readState, sourceOf, type DiskState } from './disks.ts'
export { configsOf, expectedOf, scene, storePoint, storeScene, type ScenePoint } from './scene.ts'
