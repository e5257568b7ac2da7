import fc from 'fast-check'
import { attempt, extremes, repaired, type FuzzTarget } from './target.ts'

/** One way of making hostile bytes, and how often it is tried in a short run. */
export interface HostileProperty {
  readonly what: string
  readonly property: fc.IProperty<unknown>
  readonly runs: number
}

/** What every decoder has to stand. */
export function propertiesOf(target: FuzzTarget): readonly HostileProperty[] {
  const { samples } = target
  const of = (what: string, runs: number, property: fc.IProperty<never> | fc.IProperty<unknown>): HostileProperty => ({
    what,
    runs,
    property: property,
  })
  return [
    of(
      'accepts what the encoder writes',
      30,
      fc.property(samples, (bytes) => attempt(target, bytes) === 'accepted'),
    ),
    of(
      'survives random bytes',
      60,
      fc.property(samples, fc.uint8Array({ maxLength: 600 }), (sample, bytes) => void attempt(target, bytes, sample)),
    ),
    of(
      'survives truncation anywhere',
      60,
      fc.property(samples, fc.nat(), (bytes, at) => {
        attempt(target, bytes.subarray(0, at % Math.max(1, bytes.length)), bytes)
      }),
    ),
    of(
      'survives bit flips, behind the CRCs too',
      150,
      fc.property(samples, fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), fc.boolean(), (bytes, bits, fix) => {
        const altered = Buffer.from(bytes)
        if (altered.length === 0) return
        for (const bit of bits) {
          const at = (bit >> 3) % altered.length
          altered.writeUInt8(altered.readUInt8(at) ^ (1 << (bit & 7)), at)
        }
        attempt(target, fix ? repaired(target, altered) : altered, bytes)
      }),
    ),
    of(
      'survives every length and offset at its extremes',
      150,
      fc.property(samples, fc.nat(), fc.constantFrom(...extremes), (bytes, where, value) => {
        const altered = Buffer.from(bytes)
        if (altered.length < 4) return
        altered.writeUInt32LE(value, (where % Math.floor(altered.length / 4)) * 4)
        attempt(target, repaired(target, altered), bytes)
      }),
    ),
    of(
      'survives two samples that are spliced, and bytes that are doubled or cut out',
      80,
      fc.property(samples, samples, fc.nat(), fc.nat(), (one, other, from, to) => {
        const spliced = Buffer.concat([
          one.subarray(0, from % (one.length + 1)),
          other.subarray(to % (other.length + 1)),
        ])
        // Cut at an end, it is one of the two: sealed by whoever has the key.
        const isSealed = [one, other].some((sample) => Buffer.compare(sample, spliced) === 0)
        attempt(target, repaired(target, spliced), isSealed || one.length !== spliced.length ? undefined : one)
      }),
    ),
  ]
}
