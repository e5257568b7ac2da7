import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { attemptsPerStart } from '../../workflows/shared/attempts.ts'
import { ReadMark } from './read-mark.ts'

describe('a read mark', () => {
  let folder: string
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'holdfast-mark-'))))
  afterEach(() => rmSync(folder, { recursive: true }))
  type Reads = readonly (readonly [at: number, length: number])[]
  function attempt(number: number, reads: Reads, { base = 0, resumed = 0, host = 'a', stopped = false } = {}) {
    using mark = new ReadMark(join(folder, host, '1'), {
      base,
      attempt: number,
    })
    for (const [at, length] of reads) mark.reading(at, length)
    if (stopped) mark.stopped()
    return mark.bytesReadAgain(resumed)
  }

  it('counts what was read again, over any number of deaths', () => {
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
})
