import type fc from 'fast-check'
import { isHoldfastError, MiB } from '../../base/index.ts'
import { crc32 } from '../format/index.ts'

/** One decoder, or several behind one entrance, with bytes that it accepts. */
export interface FuzzTarget {
  readonly name: string
  /** Exported functions and kinds that these bytes reach: complete.test.ts holds them against what there is. */
  readonly covers: readonly string[]
  readonly samples: fc.Arbitrary<Uint8Array>
  readonly decode: (bytes: Uint8Array) => unknown
  /** Writes what was decoded: bytes that are accepted are bytes that were understood. Undefined where a reader ignores some. */
  readonly rewrite?: (bytes: Uint8Array) => Uint8Array
  /** Makes the CRCs right again, so that what lies behind them is reached. [offset of the CRC, from, to]. */
  readonly crcs?: (bytes: Buffer) => readonly (readonly [number, number, number])[]
  /** Bytes that are the decoder's, where it reads a header from longer ones. */
  readonly size?: number
  /** What it may throw; default: `damaged`. */
  readonly refusals?: readonly string[]
  /** A key protects every byte: any other bytes than the sample must be refused. */
  readonly isAuthentic?: boolean
}

/** What a decoder throws for bytes that it does not accept. */
export const damaged: readonly string[] = ['FormatError', 'FormatUnsupported']

/** §4.12: what a decoder may ask for at once: the largest content of a frame, beside some copies of what it was given. */
const mostAtOnce = (bytes: Uint8Array): number => 17 * MiB + 16 * bytes.length

/**
 * Decodes. Throws what no decoder may throw, and for a value that was accepted though it is not written as the bytes it was
 * read from, though a key protects them (`sample` is what was protected), or that took more memory than the bounds allow.
 */
export function attempt(target: FuzzTarget, bytes: Uint8Array, sample?: Uint8Array): 'accepted' | 'refused' {
  try {
    const asked = largestRequest(() => target.decode(bytes))
    if (asked > mostAtOnce(bytes)) throw new Error(`${target.name} asks for ${asked} bytes for ${bytes.length}`)
  } catch (error) {
    if (isHoldfastError(error) && (target.refusals ?? damaged).includes(error.code)) return 'refused'
    throw error
  }
  if (target.isAuthentic === true && sample !== undefined && Buffer.compare(sample, bytes) !== 0) {
    throw new Error(`${target.name} accepts bytes that nobody has sealed`)
  }
  if (target.rewrite === undefined) return 'accepted'
  const own = bytes.subarray(0, target.size ?? bytes.length)
  if (Buffer.compare(target.rewrite(bytes), own) === 0) return 'accepted'
  throw new Error(`${target.name} accepts bytes that it would not write: ${Buffer.from(own).toString('hex', 0, 4096)}`)
}

export function repaired(target: FuzzTarget, bytes: Buffer): Buffer {
  if (bytes.length < (target.size ?? 128)) return bytes
  for (const [at, from, to] of target.crcs?.(bytes) ?? []) {
    if (at + 4 <= bytes.length) bytes.writeUInt32LE(crc32(bytes.subarray(from, to)), at)
  }
  return bytes
}

/** Lengths, counts and offsets that overflow, wrap around or lie just beyond a bound. */
export const extremes = [0, 1, 0x7f, 0xff, 0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]

/** Bytes of the largest buffer that `work` asks for: a length field that is believed shows here, whatever comes of it. */
function largestRequest(work: () => unknown): number {
  const makers = Buffer as unknown as Record<(typeof watched)[number], (size: number, ...rest: unknown[]) => Buffer>
  const { alloc, allocUnsafe, allocUnsafeSlow } = makers
  let largest = 0
  for (const name of watched) {
    const make = makers[name]
    makers[name] = (size, ...rest) => {
      largest = Math.max(largest, size)
      return make(size, ...rest)
    }
  }
  try {
    work()
  } finally {
    Object.assign(makers, { alloc, allocUnsafe, allocUnsafeSlow })
  }
  return largest
}

const watched = ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const

/** Targets of one kind; for the types of their functions. */
export const fuzzTargets = (...targets: readonly FuzzTarget[]): readonly FuzzTarget[] => targets
