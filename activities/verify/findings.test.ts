import { expect, it, vi } from 'vitest'
import { MiB } from '../../base/index.ts'
import type { Damage, VerifyReport } from '../../repository/index.ts'
import { packBlob } from '../retention/blob.ts'
import { findingsParts, readFindings } from './findings.ts'

vi.setConfig({ testTimeout: 60_000 })

const stemOf = (n: number): string => `snap/${'a'.repeat(32)}/${n.toString(16).padStart(32, '0')}`
const affected = (n: number, ranges = 1): Damage['affects'][number] => ({
  stem: stemOf(n),
  vm: 'web-01',
  disk: 'virtio0',
  ranges: Array.from({ length: ranges }, (_, at) => ({ start: at * 8192, end: at * 8192 + 4096 })),
})
const damage = (no: number, proved: boolean, affects: Damage['affects']): Damage => {
  const pack = no.toString(16).padStart(64, '0')
  const message = proved ? 'its bytes do not hash to its name' : 'cannot be read now: connection reset'
  return { pack, object: `pack/${pack}`, found: 'L4', message, proved, affects }
}
const partsOf = (damages: readonly Damage[], checked: readonly string[]) =>
  findingsParts('main', { damages } as unknown as VerifyReport, checked)

it('every point is judged by the whole report, however few of its damages are shown', () => {
  const damages = Array.from({ length: 6000 }, (_, no) => damage(no, no % 2 === 1, [affected(no)]))
  const stems = Array.from({ length: 6010 }, (_, no) => stemOf(no))
  const parts = partsOf(damages, stems).map((bytes) => readFindings(bytes))
  const verdicts = new Map(parts.flatMap(({ points }) => points).map((point) => [point.stem, point]))
  expect(verdicts.size).toBe(stems.length)
  for (const [no, stem] of stems.entries()) {
    expect(verdicts.get(stem)?.verdict).toBe(no >= 6000 ? 'sound' : no % 2 === 1 ? 'damaged' : 'unreadable')
  }
  expect(verdicts.get(stemOf(5999))).toMatchObject({
    why: `pack/${(5999).toString(16).padStart(64, '0')} (L4): its bytes do not hash to its name, needed by disk virtio0`,
  })
  const shown = parts.flatMap((part) => part.damages)
  expect(shown).toHaveLength(5000)
  // What is proved is what must not be cut off.
  expect(shown.filter(({ proved }) => proved)).toHaveLength(3000)
})

it('a point that one damage makes unreadable and another one damaged is damaged', () => {
  for (const proved of [true, false]) {
    const damages = [damage(1, proved, [affected(1)]), damage(2, !proved, [affected(1)])]
    const [part = Buffer.alloc(0)] = partsOf(damages, [stemOf(1)])
    expect(readFindings(part).points).toMatchObject([{ stem: stemOf(1), verdict: 'damaged' }])
  }
})

it('a point that was not checked and that a damage affects has its verdict too', () => {
  const [part = Buffer.alloc(0)] = partsOf([damage(1, true, [affected(2)])], [stemOf(1)])
  expect(readFindings(part).points).toMatchObject([
    { stem: stemOf(1), verdict: 'sound' },
    { stem: stemOf(2), verdict: 'damaged' },
  ])
})

it('says how many places of a damage are left out', () => {
  const affects = Array.from({ length: 25 }, (_, no) => affected(no, 100))
  const [part = Buffer.alloc(0)] = partsOf([damage(1, true, affects)], [])
  const [shown] = readFindings(part).damages
  expect(shown?.message).toBe('its bytes do not hash to its name; 5 more places that need it are not listed')
  expect(shown?.affects).toHaveLength(20)
  expect(shown?.affects[0]?.ranges).toHaveLength(20)
})

it('no part comes near what the store takes, however much is damaged', () => {
  const { ranges } = affected(0, 50)
  const message = 'does not open; '.repeat(400)
  const damages = Array.from({ length: 600 }, (_, no) => {
    const affects = Array.from({ length: 75 }, (_place, at) => ({ ...affected(no * 75 + at), ranges }))
    return { ...damage(no, true, affects), message }
  })
  const stems = Array.from({ length: 45_000 }, (_, no) => stemOf(no))
  const parts = partsOf(damages, stems)
  expect(Math.max(...parts.map((part) => part.length))).toBeLessThan(4 * MiB)
  const read = parts.map((bytes) => readFindings(bytes))
  const judged = read.flatMap(({ points }) => points).filter(({ verdict }) => verdict === 'damaged')
  expect(judged).toHaveLength(45_000)
  expect(read.flatMap((part) => part.damages)).toHaveLength(damages.length)
  for (const part of read) expect(JSON.stringify(part).length).toBeLessThan(16 * MiB)
})

it('findings without a verdict for each point are not taken for sound points', () => {
  const old = packBlob({ v: 1, repository: 'main', checked: [stemOf(1)], damages: [] })
  expect(() => readFindings(old)).toThrow(expect.objectContaining({ code: 'FormatError' }))
})
