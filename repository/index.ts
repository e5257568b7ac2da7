/**
 * The chunk repository R1: disks become deduplicated, encrypted chunks, points become manifests, and everything can be
 * read and verified offline from the specification alone. Inner modules are closed; the outside comes through here.
 */
export type * from './types.ts'
