import { expect, test } from 'vitest'
import { encodePage, type Page } from '../format/index.ts'
import { createKeyRing, sha256 } from '../keys/index.ts'
import { content as keys, P1, packOf, ring, sha } from '../vectors/given.ts'
import { sealBlob } from './blobs.ts'
import { checkPack } from './check-pack.ts'

const page: Page = {
  chunkShift: 20,
  pageNo: 0,
  entries: [{ kind: 'chunk', id: Buffer.alloc(32, 5), pack: P1, slot: 0, off: 64, clen: 100 }, { kind: 'zero' }],
}
const sealed = (id: Buffer) => {
  const content = encodePage(page)
  const blob = Buffer.alloc(72 + 48 + content.length)
  sealBlob(ring, { type: 2, id, innerHash: sha256(content), ulen: content.length, comp: 0, payload: content }, blob)
  return blob
}
const id = ring.identity().pageId(page)
const random = 'ab'.repeat(16)

test('a sound pack is sound, and its hash is its name', () => {
  const pack = packOf(1, random, sealed(id))
  expect(checkPack(ring, pack)).toMatchObject({ structure: null, blobs: 1, bad: [], found: [] })
  expect(sha(pack)).toBe(Buffer.from(checkPack(ring, pack).sha256).toString('hex'))
})

test('a page under an id that is not that of its entries is found', () => {
  const { bad } = checkPack(ring, packOf(1, random, sealed(id), sealed(Buffer.alloc(32, 1))))
  expect(bad).toMatchObject([
    { slot: 1, why: { proved: true, message: expect.stringContaining('another page id') as string } },
  ])
})

test('a page in a pack for data is found', () => {
  expect(checkPack(ring, packOf(0, random, sealed(id))).structure).toMatchObject({ proved: true })
})

test('a pack of another repository is a fault, and its blobs stay usable', () => {
  const other = createKeyRing({ ...keys, repo: '99'.repeat(16) })
  const { structure, bad, found } = checkPack(other, packOf(1, random, sealed(id)))
  expect(structure?.message).toContain('belongs to repository')
  expect(bad).toEqual([])
  expect(found).toEqual([{ off: 64, id: id.toString('hex') }])
})

test('without its TOC, a pack still tells which blobs are there', () => {
  const pack = packOf(1, random, sealed(id))
  pack.fill(0xff, pack.length - 60)
  const { structure, found, bad } = checkPack(ring, pack)
  expect(structure?.proved).toBe(true)
  expect(found).toEqual([{ off: 64, id: id.toString('hex') }])
  expect(bad).toEqual([])
})

test('a pack sealed with other keys does not open', () => {
  const other = createKeyRing({
    ...keys,
    keys: keys.keys.map((entry) => (entry.type === 'MDK' ? { ...entry, key: '99'.repeat(32) } : entry)),
  })
  expect(checkPack(other, packOf(1, random, sealed(id))).bad).toHaveLength(1)
})
