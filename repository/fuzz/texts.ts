import fc from 'fast-check'
import {
  canonicalJson,
  encodeZstdFrame,
  decodeZstdFrame,
  fromBase64url,
  fromHex,
  fromRev16,
  names,
  parseCanonicalJson,
  parseCanonicalObject,
  parseName,
  parseStem,
  rev16,
} from '../format/index.ts'
import { encodePrinted, parsePrinted, printedKinds, type PrintedKind } from '../keys/printed.ts'
import { parseShare } from '../keys/shares.ts'
import { formatError } from '../format/errors.ts'
import { fuzzTargets, type FuzzTarget } from './target.ts'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const bytesOf = (samples: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> =>
  samples.map((sample) => Buffer.from(sample, 'latin1'))
const hex = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((b) => Buffer.from(b).toString('hex'))
const u53 = fc.nat({ max: Number.MAX_SAFE_INTEGER - 1 })

const printed = (kind: PrintedKind): FuzzTarget => {
  const { bytes } = printedKinds[kind]
  return {
    name: `printed ${kind}`,
    covers: [
      'parsePrinted',
      ...(kind === 'recovery' ? ['parseRecovery'] : []),
      ...(kind === 'escrowPublic' ? ['parseEscrowPublic'] : []),
    ],
    samples: bytesOf(
      fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((content) => encodePrinted(kind, content)),
    ),
    decode: (typed) => parsePrinted(kind, text(typed)),
    refusals: ['WrongSecret'],
  }
}

/** What is read as text, and frames that are read by themselves. */
export const texts = fuzzTargets(
  {
    name: 'object name',
    covers: ['parseName'],
    samples: bytesOf(
      fc.oneof(
        hex(32).map(names.pack),
        fc.tuple(fc.integer({ min: 1, max: 99 }), hex(8)).map(([gen, sha]) => names.keySet(gen, sha)),
        u53.filter((n) => n > 0).map(names.floor),
      ),
    ),
    // Whatever is no name is no object (§3.1), and never an error.
    decode: (bytes) => {
      if (parseName(text(bytes)) === undefined) throw formatError('name', 'is none')
    },
  },
  {
    name: 'stem',
    covers: ['parseStem', 'fromRev16'],
    samples: bytesOf(fc.tuple(hex(16), u53, hex(16)).map(([series, ms, snap]) => names.stem(series, ms, snap))),
    decode: (bytes) => parseStem(text(bytes)),
  },
  {
    name: 'canonical JSON',
    covers: ['parseCanonicalJson', 'parseCanonicalObject'],
    samples: fc
      .dictionary(
        fc.string({ unit: 'grapheme' }),
        fc.oneof(fc.integer(), fc.string({ unit: 'grapheme' }), fc.constant(null)),
      )
      .map((value) => canonicalJson({ ...value })),
    decode: (bytes) => parseCanonicalObject(bytes, 65_536, 'object'),
    rewrite: (bytes) => canonicalJson(parseCanonicalJson(bytes, 65_536, 'object')),
  },
  {
    name: 'zstd frame',
    covers: ['decodeZstdFrame', 'checkZstdFrame'],
    samples: fc.uint8Array({ minLength: 600, maxLength: 600 }).map((content) => encodeZstdFrame(content, 1)),
    decode: (frame) => decodeZstdFrame(frame, 600, 'frame'),
  },
  {
    name: 'hex',
    covers: ['fromHex'],
    samples: bytesOf(hex(16)),
    decode: (bytes) => fromHex(text(bytes), 16, 'hex'),
    rewrite: (bytes) => Buffer.from(fromHex(text(bytes), 16, 'hex').toString('hex')),
  },
  {
    name: 'base64url',
    covers: ['fromBase64url'],
    samples: bytesOf(fc.uint8Array({ maxLength: 90 }).map((bytes) => Buffer.from(bytes).toString('base64url'))),
    decode: (bytes) => fromBase64url(text(bytes), 'text'),
    rewrite: (bytes) => Buffer.from(fromBase64url(text(bytes), 'text').toString('base64url')),
  },
  {
    name: 'reversed number',
    covers: ['fromRev16'],
    samples: bytesOf(u53.map(rev16)),
    decode: (bytes) => {
      if (fromRev16(text(bytes)) === undefined) throw formatError('number', 'is none')
    },
    rewrite: (bytes) => Buffer.from(rev16(fromRev16(text(bytes)) ?? -1)),
  },
  printed('recovery'),
  printed('escrowPrivate'),
  printed('escrowPublic'),
  printed('share'),
  {
    name: 'share of a key',
    covers: ['parseShare'],
    samples: bytesOf(
      fc
        .uint8Array({ minLength: 54, maxLength: 54 })
        .filter((bytes) => (bytes[20] ?? 0) >= 2 && bytes[21] !== 0)
        .map((content) => encodePrinted('share', content)),
    ),
    decode: (bytes) => parseShare(text(bytes)),
    refusals: ['WrongSecret'],
  },
)
