import { expect, it } from 'vitest'
import { readDraft } from '#lib/restore/wizard.ts'
import { restoreHref, whyNot } from './acts.ts'

it('the wizard takes up the point, and what runs at once is asked only where', () => {
  const read = (href: string) => readDraft(new URL(href, 'http://x').searchParams)
  const point = { vmId: 'db-01', id: 'p1' }
  expect(read(restoreHref(point))).toMatchObject({ vmId: 'db-01', pointId: 'p1', to: 'new', at: 'scope' })
  expect(read(restoreHref(point, 'instant'))).toMatchObject({ pointId: 'p1', to: 'instant', at: 'destination' })
})

it('nothing is brought back from what is damaged or was never validated', () => {
  expect(whyNot({ validatedMs: 1, damage: null })).toBeNull()
  expect(whyNot({ validatedMs: null, damage: null })).toContain('not validated')
  expect(whyNot({ validatedMs: 1, damage: { ms: 1, what: 'a pack is gone' } })).toContain('damaged')
})
