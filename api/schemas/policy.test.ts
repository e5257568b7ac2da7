import type { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import {
  defaultCategories,
  planDefaults,
  type Category,
  type Copies,
  type DiskSelection,
  type Keep,
  type PlanSpec,
  type VmOverride,
} from '../../policy/index.ts'
import type { copiesSchema, diskSelectionSchema, keepSchema, vmOverrideSchema } from './policy.ts'
import { categoryBody, planBody, type quiesceSchema } from './policy.ts'

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never
type Loose<T> = T extends readonly (infer U)[]
  ? Loose<U>[]
  : T extends object
    ? { -readonly [K in keyof T]: Loose<T[K]> }
    : T

test('the shapes of requests are the types of the rules', () => {
  // Fails to compile where they differ.
  const same: [
    Same<z.output<typeof quiesceSchema>, Category['quiesce']>,
    Same<z.output<typeof keepSchema>, Loose<Keep>>,
    Same<z.output<typeof copiesSchema>, Loose<Copies>>,
    Same<z.output<typeof categoryBody>, Loose<Category>>,
    Same<z.output<typeof diskSelectionSchema>, Loose<DiskSelection>>,
    Same<z.output<typeof vmOverrideSchema>, Loose<VmOverride>>,
    Same<z.output<typeof planBody>, Loose<Omit<PlanSpec, 'name'>>>,
  ] = [true, true, true, true, true, true, true]
  expect(same).not.toContain(false)
})

test('what a plan need not say has the same defaults in requests as in the rules', () => {
  expect(planBody.parse({ where: [], targets: [{ repository: 'main' }] })).toEqual({
    ...planDefaults,
    targets: [{ repository: 'main', copy: 'backup', keep: null }],
  })
})

test.each(Object.entries(defaultCategories))(
  'the category %s that is there from the start is a valid one',
  (_, one) => {
    expect(categoryBody.parse(one)).toEqual(one)
  },
)

test.each([
  ['an unknown member', { colour: 'red' }, 'colour'],
  ['a rule that says nothing', { where: [{ field: 'tag' }] }, 'say what it is'],
  ['a time that is none', { schedule: { kind: 'calendar', at: ['24:00'] } }, 'HH:MM'],
  ['no target', { targets: [] }, 'targets'],
  ['a disk rule that says nothing', { disks: { include: [{}] } }, 'say which disks'],
  ['a count above a hundred', { targets: [{ repository: 'main', keep: { daily: 101 } }] }, 'daily'],
])('%s is refused', (_, over, says) => {
  const result = planBody.safeParse({ where: [], targets: [{ repository: 'main' }], ...over })
  expect(JSON.stringify(result.error?.issues)).toContain(says)
})
