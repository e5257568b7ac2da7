import { expect, test } from 'vitest'
import { masterBootRecord } from './boot-disk.ts'

test('the master boot record has the signature, an active FAT partition and a Linux one behind it', () => {
  const mbr = masterBootRecord(Buffer.alloc(440, 0x90))
  expect(mbr.readUInt16LE(510)).toBe(0xaa55)
  expect([mbr[446], mbr[450], mbr[462], mbr[466]]).toEqual([0x80, 0x0c, 0, 0x83])
  expect(mbr.readUInt32LE(470)).toBe(mbr.readUInt32LE(454) + mbr.readUInt32LE(458))
  expect(mbr.subarray(0, 440).every((b) => b === 0x90)).toBe(true)
})
