import { describe, expect, it } from 'vitest'
import type { PointCopy } from '#lib/api/types.ts'
import { fixesOf, type FixFacts } from './fixes.ts'
import { draftHref, readDraft } from './wizard.ts'

const draft = readDraft(new URLSearchParams('vm=web-01&point=p&host=lab&name=web-01-restored&at=checks'))
const copy = (repositoryId: string, more: Partial<PointCopy> = {}): PointCopy =>
  ({
    ...{ repositoryId, repositoryName: repositoryId, state: 'done', damage: null, goneMs: null, validatedMs: 1 },
    ...more,
  }) as PointCopy
const facts = (more: Partial<FixFacts> = {}): FixFacts => ({
  draft,
  hosts: ['lab', 'lab-2', 'lab-3', 'lab-4'].map((id) => ({ id, name: id })),
  copies: [],
  repositoryId: 'main',
  ...more,
})

describe('what can be pressed beside a finding', () => {
  it('counts on from a name that is taken', () => {
    expect(fixesOf({ code: 'name' }, facts())).toEqual([
      { label: 'Call it web-01-restored-2', change: { name: 'web-01-restored-2' } },
    ])
    const named = (name: string) => fixesOf({ code: 'name' }, facts({ draft: { ...draft, name } }))[0]?.change.name
    expect(named('web-01-restored-2')).toBe('web-01-restored-3')
    expect(named('web-01-2019')).toBe('web-01-2019-2')
    // In the original place the name is not a question.
    expect(fixesOf({ code: 'name' }, facts({ draft: { ...draft, to: 'original' } }))).toEqual([])
  })

  it('offers the copies of the point that are whole, and not the one that is read', () => {
    const copies = [
      copy('main'),
      copy('damaged', { damage: { ms: 5, what: 'a pack is gone' } }),
      copy('gone', { goneMs: 5 }),
      copy('waiting', { state: 'pending' }),
      copy('offsite'),
    ]
    const [fix, ...others] = fixesOf({ code: 'ChunkLost' }, facts({ copies }))
    expect([fix, others]).toEqual([{ label: 'Read the copy in offsite', change: { repositoryId: 'offsite' } }, []])
    expect(draftHref(draft, fix?.change ?? {})).toContain('from=offsite')
    const there = facts({ copies, draft: { ...draft, repositoryId: 'offsite' } })
    expect(fixesOf({ code: 'ChunkLost' }, there)).toEqual([
      { label: 'Read the copy in main', change: { repositoryId: 'main' } },
    ])
  })

  it('offers other hypervisors where this one is what is in the way, two at most', () => {
    expect(fixesOf({ code: 'space' }, facts()).map(({ change }) => change.hypervisorId)).toEqual(['lab-2', 'lab-3'])
    expect(fixesOf({ code: 'space' }, facts({ draft: { ...draft, to: 'original' } }))).toEqual([])
  })

  it('offers nothing where only a person at the place can help', () => {
    expect(fixesOf({ code: 'vlan' }, facts({ copies: [copy('offsite')] }))).toEqual([])
  })
})
