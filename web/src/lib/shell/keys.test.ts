import { describe, expect, it } from 'vitest'
import { interpretKey } from './keys.ts'

const press = (key: string, held: Partial<{ ctrlKey: boolean; altKey: boolean; metaKey: boolean }> = {}) => ({
  key,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  ...held,
})

describe('keys', () => {
  it('go to a place after g', () => {
    const first = interpretKey(press('g'), null, 1000)
    expect(first).toEqual({ act: null, pending: 1000 })
    expect(interpretKey(press('v'), first.pending, 1500).act).toEqual({ do: 'go', to: '/vms' })
  })
  it('forget g after a while, so that a later letter means itself', () => {
    expect(interpretKey(press('j'), 1000, 9000).act).toEqual({ do: 'next-row' })
  })
  it('do nothing for a letter that is no place, and do not keep waiting', () => {
    expect(interpretKey(press('x'), 1000, 1100)).toEqual({ act: null, pending: null })
  })
  it('leave combinations to the browser', () => {
    expect(interpretKey(press('k', { ctrlKey: true }), null, 0).act).toBeNull()
    expect(interpretKey(press('k'), null, 0).act).toEqual({ do: 'previous-row' })
  })
  it('search and help without a chord', () => {
    expect(interpretKey(press('/'), null, 0).act).toEqual({ do: 'search' })
    expect(interpretKey(press('?'), null, 0).act).toEqual({ do: 'help' })
  })
})
