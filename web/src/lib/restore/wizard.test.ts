import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Point, RestoreChecks } from '#lib/api/types.ts'
import {
  checksNote,
  draftHref,
  instantRequestOf,
  misfit,
  newestValidated,
  obstacle,
  readDraft,
  requestOf,
  scopeWords,
  stepIds,
  type Draft,
} from './wizard.ts'

const draft = (more: Partial<Draft> = {}): Draft => ({
  at: 'summary',
  vmId: 'web-01',
  pointId: 'p',
  repositoryId: null,
  scope: 'vm',
  disks: [],
  to: 'new',
  hypervisorId: 'lab',
  name: 'web-01-restored',
  identity: 'new',
  powerOn: false,
  network: 'isolated',
  ...more,
})
const checks = (severities: readonly ('info' | 'warning' | 'blocking')[]): RestoreChecks =>
  ({
    findings: severities.map((severity) => ({ severity })),
    passed: [{ title: '', detail: '' }],
    blocked: severities.includes('blocking'),
  }) as RestoreChecks

describe('the restore wizard', () => {
  it('keeps every answer in its address', () => {
    const text = fc.string({ maxLength: 20 })
    const drafts = fc.record({
      at: fc.constantFrom(...stepIds),
      vmId: fc.option(text.filter((s) => s !== '')),
      pointId: fc.option(text.filter((s) => s !== '')),
      repositoryId: fc.option(text.filter((s) => s !== '')),
      scope: fc.constantFrom('vm' as const, 'disks' as const, 'configuration' as const),
      disks: fc.array(text.filter((s) => s !== '')),
      to: fc.constantFrom('new' as const, 'instant' as const, 'original' as const),
      hypervisorId: fc.option(text.filter((s) => s !== '')),
      name: text,
      identity: fc.constantFrom('new' as const, 'same' as const),
      powerOn: fc.boolean(),
      network: fc.constantFrom('isolated' as const, 'connected' as const),
    })
    fc.assert(
      fc.property(drafts, (d) => {
        const kept = misfit(d, d.to) === null ? d : { ...d, to: 'new' }
        expect(readDraft(new URL(draftHref(d, {}), 'http://x').searchParams)).toEqual(kept)
      }),
    )
  })

  it('is safe by default: a new VM, new identity, left stopped', () => {
    const fresh = readDraft(new URLSearchParams('vm=web-01'))
    expect([fresh.to, fresh.identity, fresh.powerOn, fresh.at]).toEqual(['new', 'new', false, 'point'])
  })

  it('does not go on while a check blocks or has not answered', () => {
    expect(obstacle(draft({ at: 'checks' }), null, 'web-01', '')).toBe('Checking')
    expect(obstacle(draft({ at: 'checks' }), checks(['blocking', 'info']), 'web-01', '')).toBe('One check blocks')
    expect(obstacle(draft(), checks(['blocking', 'blocking']), 'web-01', '')).toBe('2 checks block')
    expect(obstacle(draft(), checks(['warning']), 'web-01', '')).toBeNull()
  })

  it('replaces the original only when its exact name was typed', () => {
    const over = draft({ to: 'original' })
    for (const typed of ['', 'web-0', 'WEB-01', 'web-01 '])
      expect(obstacle(over, checks([]), 'web-01', typed)).toBe('Type web-01 to go on')
    expect(obstacle(over, checks([]), 'web-01', 'web-01')).toBeNull()
    expect(requestOf(over, 'web-01')?.target).toEqual({ kind: 'original', confirmName: 'web-01' })
  })

  it('asks nothing of the API while something is missing', () => {
    expect(requestOf(draft({ pointId: null }), '')).toBeNull()
    expect(requestOf(draft({ hypervisorId: null }), '')).toBeNull()
    expect(requestOf(draft({ name: '  ' }), '')).toBeNull()
  })

  it('boots at once only what was chosen for it, isolated unless told otherwise', () => {
    expect(instantRequestOf(draft())).toBeNull()
    expect(instantRequestOf(draft({ to: 'instant', name: ' ' }))).toBeNull()
    expect(instantRequestOf(draft({ to: 'instant', name: ' now ' }))).toMatchObject({
      name: 'now',
      network: 'isolated',
    })
    expect(requestOf(draft({ to: 'instant' }), '')?.target).toMatchObject({ kind: 'new' })
  })

  it('restores single disks or the configuration alone, where that can be, and never an empty choice', () => {
    const single = draft({ scope: 'disks', disks: ['scsi1'] })
    expect(requestOf(single, '')).toMatchObject({ disks: ['scsi1'], target: { kind: 'new' } })
    expect(requestOf(draft({ scope: 'configuration' }), '')).toMatchObject({ disks: [] })
    expect(requestOf(draft(), '')).not.toHaveProperty('disks')
    expect(requestOf(draft({ scope: 'disks' }), '')).toBeNull()
    expect(obstacle(draft({ at: 'scope', scope: 'disks' }), null, 'web-01', '')).toBe('Choose a disk first')
    expect(instantRequestOf({ ...single, to: 'instant' })).toBeNull()
    const after = (change: Partial<Draft>, from: Partial<Draft>): Draft['to'] =>
      readDraft(new URL(draftHref(draft(from), change), 'http://x').searchParams).to
    expect(after({ scope: 'configuration' }, { to: 'original' })).toBe('new')
    expect(after({ scope: 'disks' }, { to: 'original' })).toBe('original')
    expect(after({ scope: 'disks' }, { to: 'instant' })).toBe('new')
  })

  it('forgets the choice of disks with the point whose disks they are', () => {
    const href = draftHref(draft({ scope: 'disks', disks: ['scsi1'] }), { pointId: 'another' })
    expect(readDraft(new URL(href, 'http://x').searchParams).disks).toEqual([])
  })

  it('says what is restored', () => {
    const disks = [
      { disk: 'scsi0', size: 2 ** 30 },
      { disk: 'scsi1', size: 2 ** 31 },
    ]
    expect(scopeWords({ scope: 'vm', disks: [] }, disks)).toBe('whole VM, 2 disks, 3.0 GiB')
    expect(scopeWords({ scope: 'disks', disks: ['scsi1'] }, disks)).toBe('scsi1 of 2 disks, 2.0 GiB')
    expect(scopeWords({ scope: 'configuration', disks: [] }, disks)).toBe('configuration only')
  })

  it('proposes the newest point that is validated, not the newest of all', () => {
    const points = [
      { id: 'a', createdMs: 3, validatedMs: null },
      { id: 'b', createdMs: 2, validatedMs: 2 },
      { id: 'c', createdMs: 1, validatedMs: 1 },
    ] as Point[]
    expect(newestValidated(points)?.id).toBe('b')
    expect(newestValidated([])).toBeNull()
  })

  it('sums the checks up', () => {
    expect(checksNote(checks(['blocking', 'warning', 'info']))).toBe('1 blocks, 2 to know, 1 passed')
    expect(checksNote(checks([]))).toBe('1 passed')
  })
})
