import { mkdtempSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { HoldfastError } from '../../base/index.ts'
import type { Endpoint } from '../../drivers/values.ts'
import { sampleEndpoint } from '../testing/samples.ts'
import { Standing } from './standing.ts'

const other: Endpoint = { ...sampleEndpoint, id: 'other' as Endpoint['id'] }

let dir: string
let warnings: number
let nowMs: number
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'holdfast-standing-')), 'points')
  warnings = nowMs = 0
})
afterEach(() => rmSync(join(dir, '..'), { recursive: true, force: true }))

function standing(watch: (endpoint: Endpoint) => Promise<void>): Standing {
  const log = { info: () => undefined, warn: () => void (warnings += 1), error: () => undefined }
  return new Standing({ dir, watch, log, now: () => nowMs })
}

it('looks, in another process too, at every endpoint on which a point was opened', async () => {
  const seen: Endpoint[] = []
  {
    await using first = standing(async () => undefined)
    await first.look()
    for (const endpoint of [sampleEndpoint, other, sampleEndpoint]) await first.remember(endpoint)
  }
  await using second = standing(async (endpoint) => void seen.push(endpoint))
  await second.look()
  expect(seen.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
    [sampleEndpoint, other].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  )
})

it('looks as the endpoint is now, not as it was when its first point was opened', async () => {
  const seen: Endpoint[] = []
  await using one = standing(async (endpoint) => void seen.push(endpoint))
  await one.remember(sampleEndpoint)
  const moved = { ...sampleEndpoint, address: '/elsewhere' }
  await one.remember(moved)
  await one.look()
  expect(seen).toEqual([moved])
  expect(await readdir(dir)).toHaveLength(1)
})

it('an endpoint that cannot be looked at keeps nobody from the others, and is told once an hour', async () => {
  const seen: string[] = []
  await using one = standing(async ({ id }) => {
    seen.push(id)
    if (id === sampleEndpoint.id) throw new HoldfastError('AccessDenied', 'no')
  })
  await one.remember(sampleEndpoint)
  await one.remember(other)
  await one.look()
  await one.look()
  expect(seen.filter((id) => id === other.id)).toHaveLength(2)
  expect(warnings).toBe(1)
  nowMs += 3_600_000
  await one.look()
  expect(warnings).toBe(2)
})
