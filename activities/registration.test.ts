import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { testCatalog } from '../catalog/testing.ts'
import { profiles } from '../workflows/shared/options.ts'
import { controlQueue, siteQueue } from '../workflows/shared/queues.ts'
import { createControlActivities, createSiteActivities } from './index.ts'
import { memoryBlobs, testSite } from './testing/site.ts'
import { testSeal } from '../evidence/testing.ts'

const folder = fileURLToPath(new URL('../workflows', import.meta.url))
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => readFileSync(join(folder, name), 'utf8'))

/** Every step that a workflow schedules: `steps.name.executeWithOptions(` or a name taken out of a proxy. */
const scheduled = new Set(
  sources.flatMap((text) => [...text.matchAll(/(\w+)\s*\.executeWithOptions\(/g)].map((match) => match[1] ?? '')),
)

it('every step that a workflow schedules is registered at exactly one kind of worker', async () => {
  using world = testCatalog()
  await using at = testSite()
  const control = Object.keys(createControlActivities(world.catalog, '/nowhere', memoryBlobs(), testSeal))
  const site = Object.keys(createSiteActivities(at.site))
  expect(scheduled.size).toBeGreaterThan(25)
  for (const name of scheduled)
    expect(
      [...control, ...site].filter((known) => known === name),
      name,
    ).toHaveLength(1)
  expect(control.filter((name) => site.includes(name))).toEqual([])
})

it('nothing is registered that no workflow schedules', async () => {
  using world = testCatalog()
  await using at = testSite()
  const all = [
    ...Object.keys(createControlActivities(world.catalog, '/nowhere', memoryBlobs(), testSeal)),
    ...Object.keys(createSiteActivities(at.site)),
  ]
  expect(all.filter((name) => !scheduled.has(name))).toEqual([])
})

it('queues are built in one place', () => {
  expect([controlQueue, siteQueue('lyon')]).toEqual(['holdfast.control', 'holdfast.site.lyon'])
  for (const text of sources) expect(text.replaceAll(/^.*queues\.ts.*$/gm, '')).not.toMatch(/taskQueue: ['"`]/)
})

it.each(Object.entries(profiles))('%s has a hard limit, and a heartbeat that is shorter than it', (_name, options) => {
  expect(options.startToCloseTimeout).toBeTruthy()
  expect(options.cancellationType).toBe('WAIT_CANCELLATION_COMPLETED')
  if ('heartbeatTimeout' in options) expect(options.heartbeatTimeout).not.toBe(options.startToCloseTimeout)
})
