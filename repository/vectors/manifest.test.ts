import { expect, test } from 'vitest'
import {
  assembleManifestBody,
  canonicalJson,
  checkImageRoot,
  decodeManifestJson,
  decodeRoots,
  encodeRoots,
  names,
  type RootEntry,
} from '../format/index.ts'
import {
  manifestSignatureHolds,
  openJson,
  openManifest,
  protectJson,
  sealManifest,
  signManifest,
} from '../keys/index.ts'
import { validatedKind } from '../format/snap-objects.ts'
import * as given from './given.ts'
import { hex, ms, nonce, ring, series, sha, snap } from './given.ts'

const PAGE_ID = '4f0ee81363f9ac69920194f420bac1fe959f723e79ce52a79a14155989fcd378'
const root: RootEntry = { kind: 'page', pageId: PAGE_ID, pack: given.P3, slot: 0, off: 64, clen: 288 }
const JSON_TEXT =
  '{"configs":[{"bytes":5,"name":"vm.xml","parts":[{"clen":53,"id":"954eaf238571b3589bc0a0fd883dff0e09f258c079d135c50de7cce800a39267","off":195,"pack":"5bf632f1d22245d1d32e2909894de4e1675fc68a34b675c26895a71854517dd2","slot":1}],"sha256":"750ea59c46220cf857e5ceb32e209888906c2e9bf1523c27452a177088858089","type":"native"}],"consistency":{"detail":"","level":"crash"},"disks":[{"bytes":3146240,"changeRef":null,"id":"d","imageRoot":"ff1ef07be437d7aea9c9b770c726c9292881413ac5cf17e2228c03a3cf4a1b2e","label":"","mode":"full","nPages":1,"newBytes":632,"readBytes":2097664,"rootIndex":0,"sectorSize":512,"shiftDefault":20,"why":""}],"domain":"d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0","hypervisor":{"host":"h","platform":"xcpng","version":"8.3"},"point":{"finishedMs":1700000000000,"frozenMs":1700000000000,"origin":"manual","run":"r","startedMs":1700000000000},"retention":{"class":"","hold":false,"lockMode":"none","lockUntilSec":0,"policy":""},"tool":{"name":"holdfast","version":"1"},"v":1,"vm":{"id":"vm-1","name":"a","platform":"xcpng","scope":"pool-7f","tags":[]}}'
const SIG =
  '415723eba4ea7b6cb2e626be0eb56faa9a4ba8b82b46761ee41f9aeed58a9330bdd15cf98197d9b0b2164df07bf0506724ad21a5f767c23574c7e022db291f04'

test('writes root entries of all three kinds byte for byte', () => {
  const { entries, packs, table } = encodeRoots([root, { kind: 'zero' }, { kind: 'unallocated' }])
  expect(entries.subarray(0, 48)).toEqual(hex(`${PAGE_ID} 00000000 40000000 20010000 00000000`))
  expect(entries.subarray(48, 96)).toEqual(hex(`${'00'.repeat(32)} ffffffff 00000000 00000000 01000000`))
  expect(entries.subarray(96)).toEqual(hex(`${'00'.repeat(32)} ffffffff 00000000 00000000 02000000`))
  expect(packs).toEqual([given.P3])
  expect(decodeRoots(entries, table)).toEqual([root, { kind: 'zero' }, { kind: 'unallocated' }])
})

test('builds the signed manifest byte for byte, and opens it', () => {
  const bytes = Buffer.from(JSON_TEXT)
  expect(bytes.length).toBe(1_056)
  expect(sha(bytes)).toBe('5cffac7299d77d41bb0fe4bc1827e5aab933943d04ff1c0eb8dc6ed4c5b518fe')
  const { json, raw } = decodeManifestJson(bytes)
  expect(canonicalJson(json).toString()).toBe(JSON_TEXT)
  const { entries, table } = encodeRoots([root])
  const signature = signManifest(ring, snap, raw, Buffer.concat([entries, table]))
  expect(signature).toEqual({ key: 5, sig: SIG })

  const signed = canonicalJson({ ...json, signature })
  expect(signed.length).toBe(1_215)
  const frame = Buffer.concat([hex('28b52ffd60bf03f92500'), signed])
  const plaintext = assembleManifestBody(signed.length, frame, [root])
  expect(plaintext.subarray(0, 32)).toEqual(
    hex('c9040000 bf040000 f0040000 01000000 20050000 01000000 0000000000000000'),
  )
  expect(sha(plaintext)).toBe('1625bc4778adacc1916d7c6ae74093925058aaee38a4bb26558ccfef9d49e3d8')

  const fields = { flags: 0, snap, series, createdMs: ms, stampEpoch: 0, parent: '00'.repeat(16), lockUntilSec: 0 }
  const object = sealManifest(ring, fields, plaintext, nonce)
  expect(object.subarray(0, 128)).toEqual(
    hex(`5231534e41500000 0100 0000 50050000 000102030405060708090a0b0c0d0e0f f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0
         61aa80a44c0b1f0f03cfd366af12af75 0068e5cf8b010000 0000000000000000 00000000000000000000000000000000
         0000000000000000 03000000 000102030405060708090a0b 00000000 65d9d98d`),
  )
  expect(object.length).toBe(1_488)
  expect(sha(object)).toBe('39c8f3e7bf23de16cd5c2d7082ba0dca6731eff2f9cc92998ba6d9a4135bab1c')
  const stem = names.stem(series, ms, snap)
  expect(names.snap(stem, 'manifest')).toBe(
    'snap/61aa80a44c0b1f0f03cfd366af12af75/001ffe74301a9800-f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0.m',
  )

  const { header, body } = openManifest(ring, object, stem)
  expect(header).toMatchObject({ ...fields, repo: given.repo, mdkNo: 3 })
  expect(body.roots).toEqual([root])
  expect(body.json).toEqual({ ...json, signature })
  expect(manifestSignatureHolds(ring, snap, body)).toBe(true)
  for (const disk of body.json.disks) checkImageRoot(body, disk)
})

test('writes the validation of that manifest byte for byte', () => {
  const fields = {
    repo: given.repo,
    snap,
    mSha256: '39c8f3e7bf23de16cd5c2d7082ba0dca6731eff2f9cc92998ba6d9a4135bab1c',
    mBytes: 1_488,
    stamp: 0,
    passes: 1,
    rescued: 0,
    validatedMs: ms,
    attempt: 1,
  }
  const bytes = protectJson(validatedKind, fields, ring, 'writer')
  const mac = '53e07428f933ccc4ddc6589830374802b0ff1d6ffde73c6e76754cb9d40e6210'
  const text =
    '{"attempt":1,"kind":"validated","mBytes":1488,"mSha256":"39c8f3e7bf23de16cd5c2d7082ba0dca6731eff2f9cc92998ba6d9a4135bab1c","macKey":3,"passes":1,"repo":"000102030405060708090a0b0c0d0e0f","rescued":0,"snap":"f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0","stamp":0,"v":1,"validatedMs":1700000000000}'
  expect(bytes).toEqual(canonicalJson({ ...(JSON.parse(text) as object), mac }))
  expect(openJson(validatedKind, bytes, ring, 'writer')).toEqual({
    counts: true,
    mac: 'good',
    value: { ...fields, macKey: 3 },
  })
})
