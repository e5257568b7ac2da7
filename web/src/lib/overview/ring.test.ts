import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ringOf } from './ring.ts'

const counts = (protectedVms: number, atRisk: number, unprotected: number, excluded: number) => ({
  vms: protectedVms + atRisk + unprotected + excluded,
  protected: protectedVms,
  atRisk,
  unprotected,
  excluded,
  proven: 0,
  points: 0,
})

it('shows one VM at risk among thousands', () => {
  const ring = ringOf(counts(9999, 1, 0, 0))
  expect(ring.arcs.map((arc) => arc.tone)).toEqual(['ok', 'warn'])
  expect((ring.arcs[1]?.length ?? 0) / ring.total).toBeGreaterThan(0.01)
})

it('fills the ring without overlap, and leaves it empty without VMs', () => {
  const n = fc.nat(5000)
  fc.assert(
    fc.property(n, n, n, n, (a, b, c, d) => {
      const ring = ringOf(counts(a, b, c, d))
      let end = 0
      for (const arc of ring.arcs) {
        expect(arc.offset).toBeGreaterThanOrEqual(end - 1e-6)
        end = arc.offset + arc.length
      }
      expect(end).toBeLessThanOrEqual(ring.total + 1e-6)
    }),
  )
  expect(ringOf(counts(0, 0, 0, 0)).arcs).toEqual([])
})
