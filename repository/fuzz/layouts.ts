import fc from 'fast-check'
import * as arb from '../format/arbitraries.ts'
import { decodeBlobHeader, encodeBlobHeader } from '../format/blob.ts'
import { decodeCondemned, encodeCondemned } from '../format/condemned.ts'
import { decodeFinal, encodeFinal } from '../format/final.ts'
import { decodeFloor, encodeFloor } from '../format/floor.ts'
import { assembleManifestBody, decodeManifestBody, type ManifestBody } from '../format/manifest.ts'
import { decodeManifestHeader, encodeManifestHeader, type ManifestHeader } from '../format/manifest-header.ts'
import type { ManifestJson } from '../format/manifest-json.ts'
import { canonicalJson } from '../format/canonical-json.ts'
import { names } from '../format/names.ts'
import { decodePackHeader, encodePackHeader } from '../format/pack.ts'
import { decodePage, encodePage } from '../format/page.ts'
import type { RecordMac } from '../format/records.ts'
import { decodeRoster, encodeRoster } from '../format/roster.ts'
import { scanPack } from '../format/scan.ts'
import { checkSegment, encodeSegment } from '../format/segment.ts'
import { readSegmentEntry, readSegmentPack, SEGMENT_ENTRY, SEGMENT_PACK } from '../format/segment-table.ts'
import { decodePackTail, encodePackTail, readTail } from '../format/toc.ts'
import { encodeZstdFrame } from '../format/zstd.ts'
import { imageRoot } from '../format/identity.ts'
import { fuzzTargets } from './target.ts'

const same = ({ macKey, mac }: RecordMac) => ({ keyNo: macKey, sign: () => mac })
const signer = { keyNo: 4, sign: () => Buffer.alloc(32, 7) }
const hex16 = '5a'.repeat(16)
const run = { repo: hex16, epoch: 7, createdMs: 1, nonce: hex16, owner: hex16 }
const names32 = fc.uniqueArray(arb.hexOf(32), { maxLength: 6 })

export const manifestHeader: ManifestHeader = {
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
export const manifestBodies = arb.roots
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

export const layouts = fuzzTargets(
  {
    name: 'pack header',
    covers: ['decodePackHeader'],
    size: 64,
    samples: arb.packHeader.map(encodePackHeader),
    decode: decodePackHeader,
    rewrite: (bytes) => encodePackHeader(decodePackHeader(bytes)),
    crcs: () => [[60, 0, 60]],
  },
  {
    name: 'blob header',
    covers: ['decodeBlobHeader'],
    size: 72,
    samples: arb.blobHeader.map(encodeBlobHeader),
    decode: decodeBlobHeader,
    rewrite: (bytes) => encodeBlobHeader(decodeBlobHeader(bytes)),
    crcs: () => [[68, 0, 68]],
  },
  {
    name: 'pack tail',
    covers: ['decodePackTail', 'decodePackFooter', 'readTail'],
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
  { name: 'pack scan', covers: ['scanPack'], samples: arb.pack.map(({ bytes }) => bytes), decode: scanPack },
  {
    name: 'page',
    covers: ['decodePage', 'readPageEntry', 'readPackTable'],
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
    covers: ['decodeManifestHeader'],
    size: 128,
    samples: fc.constant(encodeManifestHeader(manifestHeader)),
    decode: (bytes) => decodeManifestHeader(bytes, 128 + 48, manifestStem),
    rewrite: (bytes) => encodeManifestHeader(decodeManifestHeader(bytes, 128 + 48, manifestStem)),
    crcs: () => [[124, 0, 124]],
  },
  {
    name: 'manifest body',
    covers: ['decodeManifestBody', 'decodeManifestJson', 'decodeRoots', 'decodeZstdFrame', 'checkZstdFrame'],
    samples: manifestBodies,
    decode: (bytes): ManifestBody => decodeManifestBody(bytes, manifestHeader),
    rewrite: (bytes) => {
      const { json, roots } = decodeManifestBody(bytes, manifestHeader)
      const jsonLen = Buffer.from(bytes).readUInt32LE(0)
      return assembleManifestBody(canonicalJson(json).length, bytes.subarray(32, 32 + jsonLen), roots)
    },
  },
  {
    name: 'index segment',
    covers: ['checkSegment', 'decodeSegmentHeader', 'readSegmentEntry', 'readSegmentPack', 'readPackFacts', 'readU64'],
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
    covers: ['decodeCondemned'],
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
    covers: ['decodeFinal'],
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
    covers: ['decodeRoster'],
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
    covers: ['decodeFloor'],
    samples: arb.u53.map((n) => encodeFloor({ repo: hex16, n }, signer)),
    decode: decodeFloor,
    crcs: () => [[60, 0, 60]],
  },
)
