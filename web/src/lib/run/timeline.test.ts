import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crmBook, erpBook, moment, restoreBook, waitingBook } from '#lib/fixtures/index.ts'
import { axisOf, tickMs } from './axis.ts'
import { timelineOf } from './timeline.ts'

const row = (line: ReturnType<typeof timelineOf>, id: string) => line.rows.find((r) => r.id === id)

describe('the timeline of a run', () => {
  it('shows what was resumed from, where it was lost, what runs and what is expected', () => {
    const line = timelineOf(erpBook, moment)
    expect(row(line, 'copy-scsi1')?.spans.map((span) => span.kind)).toEqual(['kept', 'fail', 'run', 'guess'])
    expect(row(line, 'copy-scsi1')?.title).toBe('scsi1')
    expect(line.now).toBeGreaterThan(50)
  })

  it('cuts an hour of waiting short, so that the seconds before it stay readable', () => {
    const line = timelineOf(crmBook, crmBook.endedMs ?? 0)
    const freeze = row(line, 'freeze')?.spans ?? []
    expect(line.note).toMatch(/^axis cut after \d\d:11:25$/)
    expect(freeze).toHaveLength(3)
    expect((freeze.at(-1)?.b ?? 0) - (freeze[0]?.a ?? 0)).toBeGreaterThan(25)
    expect(row(line, 'undo-snapshot')?.spans[0]?.kind).toBe('undo-bar')
  })

  it('leaves the axis alone where the long stretch was work', () => {
    expect(timelineOf(restoreBook, restoreBook.endedMs ?? 0).note).toBeNull()
    expect(timelineOf(restoreBook, restoreBook.endedMs ?? 0).now).toBeNull()
  })

  it('zooms into one phase and shows only it', () => {
    const line = timelineOf(erpBook, moment, 'copy')
    expect(line.rows.filter((r) => r.level === 'phase').map((r) => r.id)).toEqual(['phase-copy'])
    expect(row(line, 'copy-scsi0')?.spans[0]?.a).toBe(0)
  })

  it('keeps every bar on the axis, in order', () => {
    for (const book of [erpBook, crmBook, restoreBook, waitingBook]) {
      for (const { spans } of timelineOf(book, moment).rows) {
        for (const span of spans) {
          expect(span.a).toBeGreaterThanOrEqual(0)
          expect(span.b).toBeLessThanOrEqual(100)
          expect(span.b).toBeGreaterThanOrEqual(span.a)
        }
      }
    }
  })
})

describe('an axis', () => {
  it('keeps the order of time and its two ends, cut or not', () => {
    const instants = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(instants, (events) => {
        const axis = axisOf(0, 1_000_001, events, () => true)
        expect(axis.at(0)).toBeCloseTo(0, 6)
        expect(axis.at(1_000_001)).toBeCloseTo(100, 6)
        const places = events.toSorted((a, b) => a - b).map(axis.at)
        places.forEach((place, at) => {
          if (at > 0) expect(place).toBeGreaterThanOrEqual((places[at - 1] ?? 0) - 1e-9)
        })
      }),
    )
  })

  it('has round distances and at most eight of them', () => {
    expect(tickMs(330_000)).toBe(60_000)
    fc.assert(fc.property(fc.integer({ min: 1000, max: 600_000_000 }), (span) => span / tickMs(span) <= 8))
  })
})
