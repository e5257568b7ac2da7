import { combine, split } from 'shamir-secret-sharing'
import { HoldfastError } from '../../base/index.ts'
import { fromHex, toHex } from '../format/index.ts'
import { encodePrinted, parsePrinted } from './printed.ts'

/** One printed share of a KEK (§5.4, type `shamir`). */
export interface KeyShare {
  readonly repo: string
  readonly kekGen: number
  /** So many different shares make the KEK. */
  readonly threshold: number
  /** 1 … 255, different in every share of one KEK. */
  readonly x: number
  readonly y: Uint8Array
}

const KEK = 32

/** §5.4: `HFS1-` and `repoUUID ‖ kekGen u32 ‖ threshold u8 ‖ x u8 ‖ y`, with its CRC. */
export function encodeShare({ repo, kekGen, threshold, x, y }: KeyShare): string {
  const head = Buffer.alloc(6)
  head.writeUInt32LE(kekGen)
  head.writeUInt8(threshold, 4)
  head.writeUInt8(x, 5)
  return encodePrinted('share', Buffer.concat([fromHex(repo, 16, 'repository UUID'), head, y]))
}

/** Throws WrongSecret for a typing mistake and for values that no share has. */
export function parseShare(text: string): KeyShare {
  const bytes = parsePrinted('share', text)
  const [threshold, x] = [bytes.readUInt8(20), bytes.readUInt8(21)]
  if (threshold < 2 || x === 0) throw unfit('it has a threshold or a number that no share has')
  return { repo: toHex(bytes.subarray(0, 16)), kekGen: bytes.readUInt32LE(16), threshold, x, y: bytes.subarray(22) }
}

/** Splits a KEK over GF(2^8), polynomial 0x11B: any `threshold` of the texts make it, fewer say nothing about it. */
export async function splitKek(
  kek: Uint8Array,
  of: { readonly repo: string; readonly kekGen: number; readonly threshold: number; readonly shares: number },
): Promise<string[]> {
  const { threshold, shares } = of
  if (!(threshold >= 2 && threshold <= shares && shares <= 255)) {
    throw new HoldfastError('InvalidRequest', `${threshold} of ${shares} shares cannot be made`, {
      hint: 'At least two must be needed, and at most 255 can be made.',
    })
  }
  // The package wants plain arrays; a share of it is y, then x.
  const parts = await split(Uint8Array.from(kek), shares, threshold)
  return parts.map((part) => encodeShare({ ...of, x: part[KEK] ?? 0, y: part.subarray(0, KEK) }))
}

/** What a bundle of shares opens, if the slot of that generation agrees (`check`). */
export interface CombinedShares {
  readonly repo: string
  readonly kekGen: number
  readonly kek: Buffer
}

/**
 * The KEK of the shares; more of them than the threshold may be given, the same one twice. Throws WrongSecret if they are of
 * different keys or too few. Whether the result is right only the slot's `check` says.
 */
export async function combineShares(texts: readonly string[]): Promise<CombinedShares> {
  const byX = new Map<number, KeyShare>()
  const parsed = texts.map(parseShare)
  const [first] = parsed
  if (first === undefined) throw unfit('there is none')
  for (const share of parsed) {
    if (share.repo !== first.repo || share.kekGen !== first.kekGen || share.threshold !== first.threshold) {
      throw unfit('they are shares of different keys')
    }
    const same = byX.get(share.x)
    if (same !== undefined && Buffer.compare(same.y, share.y) !== 0) throw unfit('two of them contradict each other')
    byX.set(share.x, share)
  }
  if (byX.size < first.threshold) throw unfit(`${first.threshold} different ones are needed, and there are ${byX.size}`)
  // Exactly as many as the polynomial has coefficients: a further one that is wrong would spoil the result.
  const used = [...byX.values()].slice(0, first.threshold)
  const kek = Buffer.from(await combine(used.map(({ x, y }) => Uint8Array.from([...y, x]))))
  return { repo: first.repo, kekGen: first.kekGen, kek }
}

function unfit(why: string): HoldfastError {
  return new HoldfastError('WrongSecret', `These shares do not open the repository: ${why}.`, {
    hint: 'Give one share per line, all of them printed at the same time for this repository.',
  })
}
