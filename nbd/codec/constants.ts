/** Numbers of the protocol, proto.md "Values". Names are those of the specification without the prefix NBD_. */

/** Upper and lower half of each 64-bit magic. */
export const MAGIC = { hi: 0x4e42444d, lo: 0x41474943 } as const // "NBDMAGIC"
export const OPTION_MAGIC = { hi: 0x49484156, lo: 0x454f5054 } as const // "IHAVEOPT"
export const OPTION_REPLY_MAGIC = { hi: 0x0003e889, lo: 0x045565a9 } as const
export const REQUEST_MAGIC = 0x25609513
export const SIMPLE_REPLY_MAGIC = 0x67446698
export const STRUCTURED_REPLY_MAGIC = 0x668e33ef

export const HandshakeFlag = { FIXED_NEWSTYLE: 1 << 0, NO_ZEROES: 1 << 1 } as const

export const TransmissionFlag = {
  HAS_FLAGS: 1 << 0,
  READ_ONLY: 1 << 1,
  SEND_FLUSH: 1 << 2,
  SEND_FUA: 1 << 3,
  ROTATIONAL: 1 << 4,
  SEND_TRIM: 1 << 5,
  SEND_WRITE_ZEROES: 1 << 6,
  SEND_DF: 1 << 7,
  CAN_MULTI_CONN: 1 << 8,
} as const

export const Option = {
  EXPORT_NAME: 1,
  ABORT: 2,
  LIST: 3,
  STARTTLS: 5,
  INFO: 6,
  GO: 7,
  STRUCTURED_REPLY: 8,
  LIST_META_CONTEXT: 9,
  SET_META_CONTEXT: 10,
} as const

export const OptionReply = {
  ACK: 1,
  SERVER: 2,
  INFO: 3,
  META_CONTEXT: 4,
  ERR_UNSUP: 0x80000001,
  ERR_POLICY: 0x80000002,
  ERR_INVALID: 0x80000003,
  ERR_PLATFORM: 0x80000004,
  ERR_TLS_REQD: 0x80000005,
  ERR_UNKNOWN: 0x80000006,
  ERR_SHUTDOWN: 0x80000007,
  ERR_BLOCK_SIZE_REQD: 0x80000008,
  ERR_TOO_BIG: 0x80000009,
} as const

export const Info = { EXPORT: 0, NAME: 1, DESCRIPTION: 2, BLOCK_SIZE: 3 } as const

export const Command = {
  READ: 0,
  WRITE: 1,
  DISC: 2,
  FLUSH: 3,
  TRIM: 4,
  CACHE: 5,
  WRITE_ZEROES: 6,
  BLOCK_STATUS: 7,
} as const

export const CommandFlag = { FUA: 1 << 0, NO_HOLE: 1 << 1, DF: 1 << 2, REQ_ONE: 1 << 3 } as const

export const ReplyFlag = { DONE: 1 << 0 } as const

export const ReplyType = {
  NONE: 0,
  OFFSET_DATA: 1,
  OFFSET_HOLE: 2,
  BLOCK_STATUS: 5,
  ERROR: 0x8001,
  ERROR_OFFSET: 0x8002,
} as const
/** Every chunk type with this bit is an error, known or not. */
export const REPLY_TYPE_ERROR_BIT = 0x8000

/** `base:allocation`: HOLE says that nothing is allocated, only ZERO promises that the range reads as zeros. */
export const AllocationFlag = { HOLE: 1 << 0, ZERO: 1 << 1 } as const
export const ALLOCATION_CONTEXT = 'base:allocation'
/** `qemu:dirty-bitmap:<name>`. */
export const DirtyFlag = { DIRTY: 1 << 0 } as const

export const NbdErrno = {
  EPERM: 1,
  EIO: 5,
  ENOMEM: 12,
  EINVAL: 22,
  ENOSPC: 28,
  EOVERFLOW: 75,
  ENOTSUP: 95,
  ESHUTDOWN: 108,
} as const

/** `EIO` for 5; numbers outside the specification come out as `E<number>`. */
export function errnoName(value: number): string {
  for (const [name, number] of Object.entries(NbdErrno)) if (number === value) return name
  return `E${value}`
}

/** What we accept at most, whatever a length field says. */
export const Limit = {
  /** proto.md "Conventions": strings MUST be no longer than 4096 bytes. */
  STRING: 4096,
  /** One option or option reply: a name, a description and room for queries. */
  OPTION: 64 * 1024,
  /** Replies to one option (exports in a list, contexts, infos). */
  OPTION_REPLIES: 10_000,
  /** Names and descriptions of one listing together. */
  LISTING: 16 * 1024 * 1024,
  META_QUERIES: 64,
  /** Message and offset of an error chunk. */
  ERROR_CHUNK: 4096 + 14,
  /** One BLOCK_STATUS chunk: 2^20 descriptors, what nbdkit sends at most. */
  STATUS_CHUNK: 4 + 8 * 1024 * 1024,
  /** Descriptors that we take from one chunk; the rest counts as not answered, which the protocol allows. */
  STATUS_EXTENTS: 128 * 1024,
  /** Disjoint islands in the answer to one read. */
  READ_FRAGMENTS: 4096,
  /** proto.md "Block size constraints": what every server takes if nothing else was said. */
  REQUEST: 32 * 1024 * 1024,
} as const
