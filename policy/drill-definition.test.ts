import { expect, test } from 'vitest'
import { withUsual, type DrillCheckSpec } from './drill-checks.ts'
import { drillDefinition, usualBootMs } from './drill-definition.ts'

const check = (title: string): DrillCheckSpec => withUsual({ title, path: '/bin/true' } as DrillCheckSpec)
const category = { name: 'critical', drill: { checks: [check('Agent of the category')], bootTimeoutMs: 600_000 } }

test('what a VM leaves open comes from its category, each value by itself, and says from where', () => {
  expect(drillDefinition({ category, override: {}, checks: [] })).toEqual({
    checks: { value: category.drill.checks, origin: { from: 'category', name: 'critical' } },
    bootTimeoutMs: { value: 600_000, origin: { from: 'category', name: 'critical' } },
  })
  expect(drillDefinition({ category, override: {}, checks: [check('Orders')] })).toMatchObject({
    checks: { value: [{ title: 'Orders' }], origin: { from: 'vm', name: null } },
    bootTimeoutMs: { value: 600_000, origin: { from: 'category' } },
  })
  expect(drillDefinition({ category, override: { bootTimeoutMs: 60_000 }, checks: [] })).toMatchObject({
    checks: { origin: { from: 'category' } },
    bootTimeoutMs: { value: 60_000, origin: { from: 'vm' } },
  })
})

test('where nobody says anything nothing is asked, and the guest has the usual time', () => {
  expect(drillDefinition({ category: { name: 'standard' }, override: {}, checks: [] })).toEqual({
    checks: { value: [], origin: { from: 'default', name: null } },
    bootTimeoutMs: { value: usualBootMs, origin: { from: 'default', name: null } },
  })
})
