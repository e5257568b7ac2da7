/**
 * Mirror (docs/repository-format.md §13): points of one repository published in another one, resealed under its keys without
 * being decompressed. A mirror is a writer of the other repository like any other: by the full write protocol, resumable,
 * with retention of its own, and read back before it counts.
 */
export { mirror, type MirrorSide, type Writer } from './mirror.ts'
export { shareIdentity, storedDisk, type StoredDisk } from './disk.ts'
export { isWhole } from './targets.ts'
