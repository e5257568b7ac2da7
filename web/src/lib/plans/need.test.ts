import { expect, test } from 'vitest'
import { field, needPicture } from './need.ts'

const tib = 2 ** 40
const year = (from: number, to: number) =>
  Array.from({ length: 13 }, (_, at) => ({
    timeMs: Date.UTC(2026, 10 + at, 21),
    bytes: (from + ((to - from) * at) / 12) * tib,
  }))

test('what is needed, what the saved plan needs, and what there is stand on one scale', () => {
  const picture = needPicture(year(40, 61), year(40, 58), 48 * tib)
  expect(picture).toMatchObject({ unit: 'TiB', path: expect.stringMatching(/^M34\.0 .*L442\.0 [\d.]+$/) })
  const labels = picture?.ticks.map(({ label }) => Number(label)) ?? []
  expect(labels[0]).toBeLessThanOrEqual(40)
  expect(labels.at(-1)).toBeGreaterThanOrEqual(61)
  expect(labels.length).toBeLessThanOrEqual(5)
  const steps = labels.slice(1).map((label, at) => label - (labels[at] ?? 0))
  expect(new Set(steps).size).toBe(1)
  // Between the grid lines of what is less and what is more.
  const y = (label: number) => picture?.ticks.find((tick) => Number(tick.label) === label)?.y ?? Number.NaN
  expect(picture?.capacityY).toBeLessThan(y(labels.findLast((label) => label <= 47) ?? 0))
  expect(picture?.savedPath).not.toBe(picture?.path)
  expect(picture?.months.map(({ label }) => label)).toEqual(['Nov', 'Feb', 'May', 'Aug', 'Nov'])
  for (const { y: at } of picture?.ticks ?? []) {
    expect(at).toBeLessThanOrEqual(field.bottom)
    expect(at).toBeGreaterThanOrEqual(field.top - 0.01)
  }
})

test('what changes little begins at zero only where that shows anything', () => {
  expect(needPicture(year(52, 60), [], null)?.ticks[0]?.label).not.toBe('0')
  expect(needPicture(year(5, 60), [], null)?.ticks[0]?.label).toBe('0')
  // Nothing grows: still a scale.
  expect(needPicture(year(3, 3), [], null)?.ticks.length).toBeGreaterThanOrEqual(3)
  expect(needPicture(year(0, 0), [], null)?.ticks.length).toBeGreaterThanOrEqual(3)
})

test('there is no second line where nothing differs, no capacity far above, and no picture of one mark', () => {
  expect(needPicture(year(5, 9), year(5, 9), null)).toMatchObject({ savedPath: null, capacityY: null })
  expect(needPicture(year(5, 9), [], 400 * tib)?.capacityY).toBeNull()
  expect(needPicture(year(5, 9).slice(0, 1), [], null)).toBeNull()
})
