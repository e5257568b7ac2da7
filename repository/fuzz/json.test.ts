/**
 * Hostile JSON against every JSON decoder: members replaced, removed and added at any depth, in canonical form, so that the
 * schemas and the rules behind them are reached.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isHoldfastError } from '../../base/index.ts'
import { canonicalJson, type JsonObject } from '../format/index.ts'
import { jsonSamples, withChanges } from './json.ts'
import { attempt } from './target.ts'

const refuses = (decode: () => unknown): 'accepted' | 'FormatError' | 'FormatUnsupported' => {
  try {
    decode()
    return 'accepted'
  } catch (error) {
    if (isHoldfastError(error) && (error.code === 'FormatError' || error.code === 'FormatUnsupported'))
      return error.code
    throw error
  }
}

describe.each(jsonSamples)('$name', ({ name, covers, sample, decode }) => {
  const read = (raw: JsonObject) => decode(canonicalJson(raw))
  const target = { name, covers, decode, samples: fc.constant(canonicalJson(sample)) }

  test('is read as it was written, unknown members ignored', () => {
    expect(refuses(() => read(sample))).toBe('accepted')
    expect(read({ ...sample, zzz: { unknown: [1] } })).toEqual(read(sample))
  })

  test('survives members that are replaced, removed and added', () => {
    fc.assert(
      fc.property(withChanges(sample), (bytes) => void attempt(target, bytes)),
      { numRuns: 500 },
    )
  })

  test('does not do without any member that must be there', () => {
    const optional = new Set(['name', 'description', 'policy', 'source', 'signature', 'point'])
    for (const member of Object.keys(sample)) {
      if (optional.has(member) && member in sample) continue
      const { [member]: _gone, ...rest } = sample
      expect([member, refuses(() => read(rest))]).toEqual([member, 'FormatError'])
    }
  })
})

test('another v is unsupported, not damaged', () => {
  for (const { name, sample, decode } of jsonSamples) {
    if (!('v' in sample)) continue
    const read = (raw: JsonObject) => decode(canonicalJson(raw))
    expect([name, refuses(() => read({ ...sample, v: 2 }))]).toEqual([name, 'FormatUnsupported'])
    expect([name, refuses(() => read({ ...sample, v: '1' }))]).toEqual([name, 'FormatError'])
  }
})
