import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromRev16, isObjectName, names, parseName, parseStem, rev16, type ParsedName } from './names.ts'
import { hexOf } from './arbitraries.ts'

const n = fc.maxSafeNat()

/** One generator for each kind of §3.2: what it says, and the name that is built from that. */
const kinds: readonly fc.Arbitrary<[ParsedName, string]>[] = [
  fc.constantFrom(0 as const, 1 as const, 2 as const).map((replica) => [{ kind: 'fmt', replica }, names.fmt(replica)]),
  fc.tuple(n, hexOf(8)).map(([ms, rand]) => [{ kind: 'feat', ms, rand }, names.feat(ms, rand)]),
  fc
    .tuple(fc.nat({ max: 0xffffffff }), hexOf(32))
    .map(([kekGen, sha]) => [{ kind: 'key-slot', kekGen, sha16: sha.slice(0, 16) }, names.keySlot(kekGen, sha)]),
  fc
    .tuple(fc.nat({ max: 0xffffffff }), hexOf(32))
    .map(([kekGen, sha]) => [{ kind: 'key-set', kekGen, sha16: sha.slice(0, 16) }, names.keySet(kekGen, sha)]),
  hexOf(32).map((sha) => [{ kind: 'pack', sha }, names.pack(sha)]),
  hexOf(32).map((sha) => [{ kind: 'segment', level: 0, partition: 0, sha }, names.segment(0, 0, sha)]),
  fc
    .tuple(fc.nat({ max: 255 }), hexOf(32))
    .map(([partition, sha]) => [{ kind: 'segment', level: 1, partition, sha }, names.segment(1, partition, sha)]),
  fc
    .tuple(hexOf(16), n, hexOf(16), fc.constantFrom('manifest', 'validated', 'tombstone', 'abandon'))
    .map(([series, createdMs, snap, kind]) => {
      const stem = names.stem(series, createdMs, snap)
      return [{ kind, stem, series, createdMs, snap }, names.snap(stem, kind)]
    }),
  fc.tuple(hexOf(16), hexOf(8)).map(([snap, rand]) => [{ kind: 'hold', snap, rand }, names.hold(snap, rand)]),
  fc
    .tuple(fc.constantFrom('condemned', 'final', 'roster'), n, hexOf(16))
    .map(([kind, epoch, nonce]) => [{ kind, epoch, nonce }, names.record(kind, epoch, nonce)]),
  n.map((floor) => [{ kind: 'floor', n: floor }, names.floor(floor)]),
  fc
    .tuple(hexOf(16), fc.nat({ max: 0xffff }), fc.nat({ max: 0xffff }), fc.nat({ max: 0xffffff }))
    .map(([sess, part, attempt, seq]) => [
      { kind: 'session', sess, part, attempt, seq },
      names.session(sess, part, attempt, seq),
    ]),
  fc
    .tuple(hexOf(32), hexOf(8))
    .map(([pack, rand]) => [{ kind: 'quarantine', pack, rand }, names.quarantine(pack, rand)]),
  fc
    .tuple(hexOf(16), n, hexOf(8))
    .map(([series, ms, rand]) => [{ kind: 'owner', series, ms, rand }, names.owner(series, ms, rand)]),
  fc.tuple(n, hexOf(8)).map(([ms, rand]) => [{ kind: 'probe', ms, rand }, names.probe(ms, rand)]),
  fc
    .tuple(hexOf(16), fc.constantFrom('a', 'x/y.1'))
    .map(([run, name]) => [{ kind: 'probe-tmp', run, name }, names.probeTmp(run, name)]),
]

test('every kind of name is read back as what it was built from', () => {
  fc.assert(
    fc.property(fc.oneof(...kinds), ([parsed, name]) => {
      expect(isObjectName(name)).toBe(true)
      expect(parseName(name)).toEqual(parsed)
    }),
    { numRuns: 500 },
  )
})

test('a name that differs in one character is another name or none', () => {
  fc.assert(
    fc.property(fc.oneof(...kinds), fc.nat(), fc.constantFrom(...'0fg.-/A~'), ([parsed, name], at, character) => {
      const other = name.slice(0, at % name.length) + character + name.slice((at % name.length) + 1)
      if (other === name) return
      expect(parseName(other)).not.toEqual(parsed)
    }),
    { numRuns: 500 },
  )
})

test('rev16 reverses the order of numbers, and reads back', () => {
  fc.assert(
    fc.property(n, n, (a, b) => {
      expect(fromRev16(rev16(a))).toBe(a)
      expect(rev16(a) < rev16(b)).toBe(a > b)
    }),
  )
  expect(fromRev16('0020000000000000')).toBe(0)
  expect(fromRev16('0020000000000001')).toBeUndefined()
  expect(fromRev16('0000000000000000')).toBeUndefined()
  expect(fromRev16('00100000000000000')).toBeUndefined()
  expect(() => rev16(-1)).toThrow(RangeError)
})

test.each([
  ['a component of dots', 'pack/../fmt'],
  ['an empty component', 'pack//aa'],
  ['upper case', 'FMT'],
  ['a leading dot', '.reserve'],
  ['more than 200 bytes', `probe-tmp/${'0'.repeat(32)}/${'a'.repeat(160)}`],
  ['a fourth replica', 'fmt.3'],
  ['a pack in the wrong directory', `pack/00/${'ab'.repeat(32)}`],
  ['a level-0 segment in a partition', `idx/0-01/${'ab'.repeat(32)}`],
  ['a reversed number beyond 2^53', 'floor/0020000000000001'],
  ['an unknown extension', `snap/${'0'.repeat(32)}/001fffffffffffff-${'0'.repeat(32)}.x`],
  ['a line break at the end', 'fmt\n'],
])('a name with %s is none', (_, name) => {
  expect(parseName(name)).toBeUndefined()
})

test('a name that no reader would understand is not built', () => {
  expect(() => names.pack('AB'.repeat(32))).toThrow('fits no kind')
  expect(() => names.session('0'.repeat(32), 0x10000, 1, 0)).toThrow('fits no kind')
  expect(() => parseStem('snap/x')).toThrow('not the stem')
})
