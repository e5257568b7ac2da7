import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  MAX_BITMAP_NAME,
  MAX_NODE_NAME,
  MAX_SOCKET_PATH,
  bitmapNames,
  diskNames,
  installationTag,
  isOpKey,
  opKeyFor,
  ownsOpKey,
  readBitmapName,
  readDiskName,
  roundFile,
  scratchFile,
  socketFile,
  socketPath,
  trackerTag,
} from './names.ts'
import type { PointId, TrackerId } from './values.ts'

const installation = fc.string().map(installationTag)
const pointId = fc.uuid().map((u) => u.replaceAll('-', '') as PointId)
const vm = fc.record({ scope: fc.uuid(), id: fc.uuid() })
const number = fc.nat(999)
const tracker = fc.string().map((t) => t as TrackerId)

describe('names on hypervisors', () => {
  test('keep the limits and character sets of QEMU, file systems and sockets', () => {
    fc.assert(
      fc.property(installation, vm, pointId, tracker, number, (inst, v, point, t, n) => {
        const key = opKeyFor(inst, v, point)
        expect(key).toMatch(/^hf-[a-z2-7]{6}-[a-z2-7]{13}$/)
        expect(key).toHaveLength(23)
        for (const name of Object.values<string>({ ...diskNames(key, n) })) {
          // A QEMU id: a letter, then letters, digits, '-', '.', '_' (id_wellformed).
          expect(name).toMatch(/^[a-z][a-z0-9._-]*$/)
          expect(name.length).toBeLessThanOrEqual(MAX_NODE_NAME)
        }
        for (const name of Object.values<string>({ ...bitmapNames(inst, t, point) })) {
          expect(name).toMatch(/^[a-z0-9.-]+$/)
          expect(name.length).toBeLessThanOrEqual(MAX_BITMAP_NAME)
        }
        for (const file of [scratchFile(key, n), socketFile(key), roundFile(key)]) {
          expect(file).toMatch(/^[a-z0-9.-]+$/)
          // What description.ts leaves for our sockets.
          expect(file.length).toBeLessThanOrEqual(40)
        }
      }),
    )
  })
  test('an operation key is the same for every attempt and another for every other VM, point and installation', () => {
    fc.assert(
      fc.property(installation, vm, pointId, pointId, (inst, v, a, b) => {
        expect(opKeyFor(inst, { ...v }, a)).toBe(opKeyFor(inst, v, a))
        fc.pre(a !== b)
        const all = [
          opKeyFor(inst, v, a),
          opKeyFor(inst, v, b),
          opKeyFor(inst, { ...v, id: `${v.id}x` }, a),
          opKeyFor(inst, { ...v, scope: `${v.scope}x` }, a),
          opKeyFor(inst === 'aaaaaa' ? 'bbbbbb' : 'aaaaaa', v, a),
        ]
        expect(new Set(all).size).toBe(all.length)
      }),
    )
  })
  test('what was built can be read back, and nothing else can', () => {
    fc.assert(
      fc.property(installation, vm, pointId, tracker, number, fc.string(), (inst, v, point, t, n, noise) => {
        const key = opKeyFor(inst, v, point)
        for (const [what, name] of Object.entries<string>({ ...diskNames(key, n) }))
          expect(readDiskName(name)).toEqual({ opKey: key, what, n })
        for (const [role, name] of Object.entries<string>({ ...bitmapNames(inst, t, point) }))
          expect(readBitmapName(name)).toEqual({ installation: inst, tracker: trackerTag(t), point, role })
        expect(ownsOpKey(inst, key)).toBe(true)
        expect(ownsOpKey(inst === 'aaaaaa' ? 'bbbbbb' : 'aaaaaa', key)).toBe(false)
        expect(readDiskName(noise)).toBeNull()
        expect(readBitmapName(noise)).toBeNull()
        expect(isOpKey(noise)).toBe(false)
      }),
    )
  })
  test('names of other products are not ours', () => {
    for (const name of [
      'pbs-incremental-dirty-bitmap',
      'backup-vda',
      'hf-abcdef',
      'hf-abcdef-abcdefgh-' + 'g'.repeat(32),
    ])
      expect(readBitmapName(name)).toBeNull()
  })
  test('a socket path too long for the kernel is refused with what to do', () => {
    expect(socketPath('/'.padEnd(MAX_SOCKET_PATH, 'x'))).toHaveLength(MAX_SOCKET_PATH)
    expect(() => socketPath('/'.padEnd(MAX_SOCKET_PATH + 1, 'x'))).toThrow(/too long for a UNIX socket/)
    expect(() => socketPath(`/${'ä'.repeat(60)}`)).toThrow(/too long/)
  })
  test('a malformed installation or point is refused before it gets into a name', () => {
    expect(() => opKeyFor('ABCDEF', { scope: 's', id: 'i' }, 'a'.repeat(32) as PointId)).toThrow(/installation/)
    expect(() => bitmapNames('abcdef', 't' as TrackerId, 'not-a-point' as PointId)).toThrow(/point id/)
    expect(() => diskNames('hf-abcdef-abcdefghijklm' as never, 1000)).toThrow(/disk number/)
  })
})
