import { expect, it } from 'vitest'
import type { SlotResource } from '#lib/api/types.ts'
import { byKind, fullFor, nameOf, slotSentence } from './words.ts'

const run = (n: number, state: 'working' | 'waiting', sinceMs = 0): SlotResource['runs'][number] => ({
  ...{ runId: `r${n}`, workflowId: `backup/vm-${n}`, title: `Backup of vm-${n}`, kind: 'backup', priority: 3 },
  ...{ state, sinceMs },
})
const of = (resource: string, slots: number, runs: SlotResource['runs']): SlotResource => ({
  ...{ resource, kind: resource.split('/')[0] as SlotResource['kind'], slots, isDefault: true, runs },
  working: runs.filter(({ state }) => state === 'working').length,
  waiting: runs.filter(({ state }) => state === 'waiting').length,
})
const waits = run(3, 'waiting', 60_000)
const full = of('host/lab', 2, [run(1, 'working'), run(2, 'working'), waits])
const free = of('repository/main', 8, [run(1, 'working'), run(2, 'working'), waits])
const idle = of('host/attic', 4, [])

it('resources come by kind, the fullest first, and a run that needs several is counted once', () => {
  expect(byKind([free, idle, full]).map(({ kind, items }) => [kind, items.map(nameOf)])).toEqual([
    ['host', ['lab', 'attic']],
    ['repository', ['main']],
  ])
  expect(slotSentence([free, idle, full], 6 * 60_000)).toBe('2 runs work, 1 waits for a slot, the longest for 5 min.')
  expect(slotSentence([idle], 0)).toBe('Nothing works, and nothing waits.')
})

it('what a run waits for is what is full of what it needs', () => {
  expect(fullFor(waits, [free, idle, full])).toEqual(['host/lab'])
})
