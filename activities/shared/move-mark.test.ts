import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { attemptsPerStart } from '../../workflows/shared/attempts.ts'
import { MoveMark } from './move-mark.ts'

describe('a mark', () => {
  let folder: string
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'holdfast-mark-'))))
  afterEach(() => rmSync(folder, { recursive: true }))
  type Reads = readonly (readonly [at: number, length: number])[]
  function attempt(number: number, reads: Reads, { base = 0, resumed = 0, host = 'a', stopped = false } = {}) {
    using mark = new MoveMark(join(folder, host, '1'), {
      base,
      attempt: number,
    })
    for (const [at, length] of reads) mark.moving(at, length)
    if (stopped) mark.stopped()
    return mark.bytesAgain(resumed)
  }

  it('counts what was moved again, over any number of deaths', () => {
    const first: Reads = [[0, 10], [10, 10]] // prettier-ignore
    expect(attempt(1, first)).toBe(0)
    const second: Reads = [[15, 10], [25, 5]] // prettier-ignore
    expect(attempt(2, second, { resumed: 15 })).toBe(5)
    expect(attempt(3, [[28, 4]], { resumed: 28 })).toBe(7)
  })

  it('goes on in the next start, where the run stopped the attempt before', () => {
    attempt(1, [[0, 20]], { stopped: true })
    expect(attempt(1, [[15, 10]], { base: attemptsPerStart, resumed: 15 })).toBe(5)
  })

  it('knows nothing where an attempt was made that it did not see, and never again', () => {
    attempt(1, [[0, 20]])
    expect(attempt(2, [[15, 10]], { resumed: 15, host: 'b' })).toBeNull()
    expect(attempt(3, [[20, 10]], { resumed: 20, host: 'b' })).toBeNull()
    // Back on the first host, whose mark is of the attempt before the last but one.
    expect(attempt(4, [[25, 10]], { resumed: 25 })).toBeNull()
    expect(attempt(5, [[30, 10]], { resumed: 30 })).toBeNull()
  })

  it('knows nothing where the start before ended elsewhere, or something is resumed of which there is no mark', () => {
    attempt(1, [[0, 20]], { stopped: true })
    expect(attempt(1, [[15, 10]], { base: 2 * attemptsPerStart, resumed: 15 })).toBeNull()
    attempt(1, [[0, 20]], { host: 'b' })
    expect(
      attempt(1, [[15, 10]], {
        base: attemptsPerStart,
        resumed: 15,
        host: 'b',
      }),
    ).toBeNull()
    expect(attempt(1, [[15, 10]], { resumed: 15, host: 'c' })).toBeNull()
  })

  it('knows what was durable after a death, and of a mark of an earlier version that nothing was', () => {
    const path = join(folder, 'a', '1')
    const first = new MoveMark(path, { base: 0, attempt: 1 })
    first.moving(0, 30)
    first.durableUpTo(20)
    first.moving(30, 10)
    using second = new MoveMark(path, { base: 0, attempt: 2 })
    expect(second.durable).toBe(20)
    second.moving(20, 30)
    expect(second.bytesAgain(20)).toBe(20)
    const old = join(folder, 'old')
    writeFileSync(old, JSON.stringify({ end: 10, again: 0, base: 0, attempt: 1, isStopped: false }).padEnd(160))
    using third = new MoveMark(old, { base: 0, attempt: 2 })
    expect(third.durable).toBe(0)
  })
})
