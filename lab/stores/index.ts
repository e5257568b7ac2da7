/**
 * Real object stores for tests: SeaweedFS, versitygw and MinIO for S3, Azurite for Azure Blob, each a supervised process on
 * 127.0.0.1 with free ports and a folder that goes with it.
 */
export { cacheFolder } from '../../appliance/index.ts'
export { AzuriteLab } from './azurite.ts'
export { behindTls, forward, type BehindTls } from './behind-tls.ts'
export type { StoreProcess } from './process.ts'
export { requireStore, storePlace, storeVersions, type StoreProgram } from './programs.ts'
export { S3Lab, type S3Server } from './s3.ts'
