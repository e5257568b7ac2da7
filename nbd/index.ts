/**
 * Network Block Device: a client and a server for the protocol (NetworkBlockDevice/nbd, doc/proto.md), and the algebra
 * of extents that block status is made of. It knows nothing of backup and works against any peer, hostile ones included:
 * whatever the other side sends ends at most the one connection.
 */
export type { NbdAddress } from './address.ts'
export type {
  BlockSizes,
  ConnectOptions,
  DialOptions,
  ExportFeatures,
  ListedExport,
  NbdClient,
  ReadOptions,
  ReconnectPolicy,
  StatusOptions,
  TlsUpgrade,
  WriteOptions,
  ZeroOptions,
} from './client/types.ts'
export { connectNbd, listNbdContexts, listNbdExports } from './client/client.ts'
export { verifiedTls } from './client/tls.ts'
export type { VerifiedTlsOptions } from './client/tls.ts'
export type { ByteRange, Extent, Source, StatusExtent } from './extents/types.ts'
export { ALLOCATION_CONTEXT, AllocationFlag, DirtyFlag } from './codec/constants.ts'
export { changedExtents, mergeExtents, rangesOf } from './extents/changed.ts'
export {
  clipRanges,
  intersectRanges,
  mergeRanges,
  normaliseRanges,
  subtractRanges,
  widenRanges,
} from './extents/ranges.ts'
export { dirtyRanges, walkContext, walkStatus } from './extents/status.ts'
export type { StatusReader, StatusSpan } from './extents/status.ts'
export { answerNbd, serveNbd } from './server/server.ts'
export type {
  BlockSource,
  NbdConversation,
  NbdExport,
  NbdServer,
  ServeOptions,
  ServerLimits,
  ServerTls,
} from './server/types.ts'
