/**
 * What the tests of this folder share: a store in memory that can be copied at any moment, model disks with their sources,
 * and a lab that creates, opens and reopens repositories over them. Nothing of it is used outside tests.
 */
export { atCrashPoints, runsOf } from './crash-points.ts'
export { cheapArgon2, deriveOnce } from './derive.ts'
export { expectOnePoint, runDying, smallDisk } from './dying.ts'
export { GcScript } from './gc-records.ts'
export {
  backUp,
  expectIdentical,
  ModelBackup,
  noSignal,
  passphrase,
  RepositoryLab,
  uuid,
  type BackupOptions,
} from './lab.ts'
export { MemoryBucket, MemoryStore } from './memory-store.ts'
export { robbed } from './robber.ts'
export { bucketOf, layOut, PowerCut, type Loss } from './power-cut.ts'
export { ModelDisk, ModelSource, seededBytes, type SourceOptions } from './model-disk.ts'
