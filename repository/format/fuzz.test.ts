/**
 * Hostile bytes against every decoder: nothing but FormatError and FormatUnsupported, bounded time and memory, and bytes
 * that are accepted are bytes that were understood: written again they are the same.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isHoldfastError } from '../../base/index.ts'
import * as arb from './arbitraries.ts'
import { decodeBlobHeader, encodeBlobHeader } from './blob.ts'
import { decodeCondemned, encodeCondemned } from './condemned.ts'
import { crc32 } from './crc.ts'
import { decodeFinal, encodeFinal } from './final.ts'
import { decodeFloor, encodeFloor } from './floor.ts'
import { assembleManifestBody, decodeManifestBody, type ManifestBody } from './manifest.ts'
import { decodeManifestHeader, encodeManifestHeader, type ManifestHeader } from './manifest-header.ts'
import type { ManifestJson } from './manifest-json.ts'
import { canonicalJson } from './canonical-json.ts'
import { names } from './names.ts'
import { decodePackHeader, encodePackHeader } from './pack.ts'
import { decodePage, encodePage } from './page.ts'
import type { RecordMac } from './records.ts'
import { decodeRoster, encodeRoster } from './roster.ts'
import { scanPack } from './scan.ts'
import { checkSegment, encodeSegment } from './segment.ts'
import { readSegmentEntry, readSegmentPack, SEGMENT_ENTRY, SEGMENT_PACK } from './segment-table.ts'
import { decodePackTail, encodePackTail, readTail } from './toc.ts'
import { encodeZstdFrame } from './zstd.ts'
import { imageRoot } from './identity.ts'

interface Target {
  readonly name: string
  readonly samples: fc.Arbitrary<Uint8Array>
  readonly decode: (bytes: Uint8Array) => unknown
  /** Writes what was decoded. Undefined where a layout has bytes that a reader ignores. */
  readonly rewrite?: (bytes: Uint8Array) => Uint8Array
  /** Makes the CRCs right again, so that what lies behind them is reached. [offset of the CRC, from, to]. */
  readonly crcs?: (bytes: Buffer) => readonly (readonly [number, number, number])[]
}

const same = ({ macKey, mac }: RecordMac) => ({ keyNo: macKey, sign: () => mac })
const signer = { keyNo: 4, sign: () => Buffer.alloc(32, 7) }
const hex16 = '5a'.repeat(16)
const run = { repo: hex16, epoch: 7, createdMs: 1, nonce: hex16, owner: hex16 }
const names32 = fc.uniqueArray(arb.hexOf(32), { maxLength: 6 })

const manifestHeader: ManifestHeader = {
  flags: 0,
  bodyLen: 48,
  repo: hex16,
  snap: hex16,
  series: hex16,
  createdMs: 5,
  stampEpoch: 1,
  parent: hex16,
  lockUntilSec: 0,
  mdkNo: 3,
  nonce: Buffer.alloc(12, 1),
}
const manifestStem = names.stem(hex16, 5, hex16)
const manifestBody = arb.roots
  .filter((roots) => roots.length > 0)
  .map((roots) => {
    const bytes = roots.length * 2 ** 30
    const json: ManifestJson = {
      v: 1,
      domain: hex16,
      vm: { id: 'v', name: 'n', platform: 'qemu', scope: 's', tags: ['t'] },
      point: { origin: 'manual', frozenMs: 5, startedMs: 5, finishedMs: 6, run: 'r' },
      consistency: { level: 'crash', detail: '' },
      hypervisor: { platform: 'qemu', version: '1', host: 'h' },
      disks: [
        {
          id: 'd',
          label: '',
          bytes,
          sectorSize: 512,
          shiftDefault: 20,
          rootIndex: 0,
          nPages: roots.length,
          imageRoot: imageRoot(bytes, roots),
          changeRef: null,
          mode: 'full',
          why: '',
          readBytes: 0,
          newBytes: 0,
        },
      ],
      configs: [],
      retention: { class: '', policy: '', lockUntilSec: 0, lockMode: 'none', hold: false },
      tool: { name: 'holdfast', version: '1' },
    }
    const text = canonicalJson(json)
    return assembleManifestBody(text.length, encodeZstdFrame(text, 1), roots)
  })

const targets: readonly Target[] = [
  {
    name: 'pack header',
    samples: arb.packHeader.map(encodePackHeader),
    decode: decodePackHeader,
    rewrite: (bytes) => encodePackHeader(decodePackHeader(bytes)),
    crcs: () => [[60, 0, 60]],
  },
  {
    name: 'blob header',
    samples: arb.blobHeader.map(encodeBlobHeader),
    decode: decodeBlobHeader,
    rewrite: (bytes) => encodeBlobHeader(decodeBlobHeader(bytes)),
    crcs: () => [[68, 0, 68]],
  },
  {
    name: 'pack tail',
    samples: arb.pack.map(({ bytes }) => bytes),
    decode: (bytes) => decodePackTail(bytes, bytes.length),
    rewrite: (bytes) => {
      const tail = readTail(bytes, bytes.length)
      return Buffer.concat([bytes.subarray(0, tail.footer.tocOff), encodePackTail(tail.entries, tail.footer.repo)])
    },
    crcs: (bytes) => {
      const footer = bytes.length - 48
      const tocOff = bytes.readUInt32LE(footer + 8)
      return [
        ...(tocOff < footer ? [[footer + 20, tocOff, footer] as const] : []),
        [footer + 44, footer, footer + 44] as const,
      ]
    },
  },
  { name: 'pack scan', samples: arb.pack.map(({ bytes }) => bytes), decode: scanPack },
  {
    name: 'page',
    samples: arb.page.map(encodePage),
    decode: decodePage,
    // A page of one kind throughout decodes, though no writer makes one; it has no other bytes either.
    rewrite: (bytes) => {
      const page = decodePage(bytes)
      return page.entries.every((entry) => entry.kind !== 'chunk') ? bytes : encodePage(page)
    },
  },
  {
    name: 'manifest header',
    samples: fc.constant(encodeManifestHeader(manifestHeader)),
    decode: (bytes) => decodeManifestHeader(bytes, 128 + 48, manifestStem),
    rewrite: (bytes) => encodeManifestHeader(decodeManifestHeader(bytes, 128 + 48, manifestStem)),
    crcs: () => [[124, 0, 124]],
  },
  {
    name: 'manifest body',
    samples: manifestBody,
    decode: (bytes): ManifestBody => decodeManifestBody(bytes, manifestHeader),
    rewrite: (bytes) => {
      const { json, roots } = decodeManifestBody(bytes, manifestHeader)
      const jsonLen = Buffer.from(bytes).readUInt32LE(0)
      return assembleManifestBody(canonicalJson(json).length, bytes.subarray(32, 32 + jsonLen), roots)
    },
  },
  {
    name: 'index segment',
    samples: arb.segment.map(encodeSegment),
    decode: checkSegment,
    rewrite: (bytes) => {
      const from = Buffer.from(bytes)
      const head = checkSegment(from)
      const packs = Array.from({ length: head.nPacks }, (_, i) =>
        readSegmentPack(from, head.packsOff + SEGMENT_PACK * i),
      )
      const entries = Array.from({ length: head.nEntries }, (_, i) => {
        const { packOrd, ...entry } = readSegmentEntry(from, head.entriesOff + SEGMENT_ENTRY * i)
        return { ...entry, pack: packs[packOrd]?.sha ?? '' }
      })
      const supersedes = Array.from({ length: head.nSupersedes }, (_, i) =>
        from.toString('hex', head.supersedesOff + 32 * i, head.supersedesOff + 32 * (i + 1)),
      )
      return encodeSegment({ ...head, packs, entries, supersedes })
    },
    crcs: (bytes) => [
      [120, 128, bytes.length],
      [124, 0, 124],
    ],
  },
  {
    name: 'condemned set',
    samples: names32.map((packs) =>
      encodeCondemned({ ...run, floorSeen: 1, packs, seen: [{ epoch: 1, nonce: hex16 }] }, signer),
    ),
    decode: decodeCondemned,
    rewrite: (bytes) => {
      const read = decodeCondemned(bytes)
      return encodeCondemned(read, same(read))
    },
    crcs: () => [[124, 0, 124]],
  },
  {
    name: 'final set',
    samples: fc
      .nat({ max: 40 })
      .map((nPacks) =>
        encodeFinal(
          { ...run, condemnedSha: hex16 + hex16, nPacks, stopped: nPacks < 3, ordinals: nPacks < 3 ? [] : [0, 2] },
          signer,
        ),
      ),
    decode: decodeFinal,
    rewrite: (bytes) => {
      const read = decodeFinal(bytes)
      return encodeFinal(read, same(read))
    },
    crcs: () => [[124, 0, 124]],
  },
  {
    name: 'roster',
    samples: fc.uniqueArray(arb.hexOf(16), { maxLength: 8 }).map((snaps) => encodeRoster({ ...run, snaps }, signer)),
    decode: decodeRoster,
    rewrite: (bytes) => {
      const read = decodeRoster(bytes)
      return encodeRoster(read, same(read))
    },
    crcs: () => [[124, 0, 124]],
  },
  {
    name: 'floor',
    samples: arb.u53.map((n) => encodeFloor({ repo: hex16, n }, signer)),
    decode: decodeFloor,
    crcs: () => [[60, 0, 60]],
  },
]

/** Decodes; an accepted value must be written as the bytes it was read from. */
function attempt(target: Target, bytes: Uint8Array): 'accepted' | 'refused' {
  try {
    target.decode(bytes)
  } catch (error) {
    if (isHoldfastError(error) && (error.code === 'FormatError' || error.code === 'FormatUnsupported')) return 'refused'
    throw error
  }
  if (target.rewrite) expect(Buffer.compare(target.rewrite(bytes), trimmed(target, bytes))).toBe(0)
  return 'accepted'
}

/** Fixed-size headers are decoded from longer bytes: what follows is not theirs. */
function trimmed(target: Target, bytes: Uint8Array): Uint8Array {
  const sizes: { [name: string]: number } = { 'pack header': 64, 'blob header': 72, 'manifest header': 128 }
  return bytes.subarray(0, sizes[target.name] ?? bytes.length)
}

function repaired(target: Target, bytes: Buffer): Buffer {
  if (bytes.length < 128 && target.name !== 'pack header' && target.name !== 'blob header' && target.name !== 'floor') {
    return bytes
  }
  for (const [at, from, to] of target.crcs?.(bytes) ?? []) {
    if (at + 4 <= bytes.length) bytes.writeUInt32LE(crc32(bytes.subarray(from, to)), at)
  }
  return bytes
}

const extremes = [0, 1, 0x7f, 0xff, 0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]
let rss = 0
beforeAll(() => {
  rss = process.memoryUsage().rss
})
afterAll(() => {
  // What the declared lengths ask for is gigabytes.
  expect(process.memoryUsage().rss - rss).toBeLessThan(400 * 2 ** 20)
})

describe.each(targets)('$name', (target) => {
  test('accepts what the encoder writes', () => {
    fc.assert(
      fc.property(target.samples, (bytes) => {
        expect(attempt(target, bytes)).toBe('accepted')
      }),
    )
  })

  test('survives random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void attempt(target, bytes)),
      { numRuns: 200 },
    )
  })

  test('survives truncation anywhere', () => {
    fc.assert(
      fc.property(target.samples, fc.nat(), (bytes, at) => void attempt(target, bytes.subarray(0, at % bytes.length))),
      { numRuns: 200 },
    )
  })

  test('survives bit flips, behind the CRCs too', () => {
    fc.assert(
      fc.property(
        target.samples,
        fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (bytes, bits, fix) => {
          const altered = Buffer.from(bytes)
          for (const bit of bits) {
            const at = (bit >> 3) % altered.length
            altered.writeUInt8(altered.readUInt8(at) ^ (1 << (bit & 7)), at)
          }
          attempt(target, fix ? repaired(target, altered) : altered)
        },
      ),
      { numRuns: 600 },
    )
  })

  test('survives every length and offset at its extremes', () => {
    fc.assert(
      fc.property(target.samples, fc.nat(), fc.constantFrom(...extremes), (bytes, where, value) => {
        const altered = Buffer.from(bytes)
        if (altered.length < 4) return
        const at = (where % Math.floor(altered.length / 4)) * 4
        altered.writeUInt32LE(value, at)
        attempt(target, repaired(target, altered))
      }),
      { numRuns: 600 },
    )
  })
})

test('a CRC finds every single flipped bit of a header before anything else is looked at', () => {
  for (const target of targets.filter((item) => ['pack header', 'blob header', 'floor'].includes(item.name))) {
    const [sample] = fc.sample(target.samples, { numRuns: 1, seed: 7 })
    if (sample === undefined) throw new Error('no sample')
    const covered = (target.crcs?.(Buffer.from(sample))[0]?.[0] ?? 0) + 4
    for (let bit = 0; bit < covered * 8; bit++) {
      const altered = Buffer.from(sample)
      altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(() => target.decode(altered)).toThrow(expect.objectContaining({ code: 'FormatError' }))
    }
  }
})
