import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRecordActivities } from '../activities/record/index.ts'
import type { ProofRecord } from '../activities/record/types.ts'
import { aPoint, pointIdOf, testNow } from '../catalog/testing.ts'
import { verifyFile } from '../evidence/index.ts'
import { testKey, testSeal } from '../evidence/testing.ts'
import type { DiskKey } from '../drivers/values.ts'
import { keepEvidence } from './evidence.ts'
import { bench, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

const picture = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from('a login prompt')])
const screenshot = createHash('sha256').update(picture).digest('hex')
const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
const id = 'web-01.20261121t073352'

function proof(over: Partial<ProofRecord['result']> = {}): ProofRecord {
  const check = { title: 'Orders', passed: true, exit: 0, out: '4711\n', err: '', count: 4711, detail: 'counted 4711' }
  return {
    ...{ workflowId: 'drill/web-01/20261121t073352', runId: 'run-1', vmId: 'web-01', repositoryId: 'main' },
    ...{ stem: aPoint(1).stem, startedMs: testNow, endedMs: testNow + 60_000 },
    requestedBy: { user: 'operator', reason: 'quarterly' },
    hypervisor: { id: 'lab', platform: 'qemu' },
    disks: [{ key: 'virtio0' as DiskKey, label: 'system', size: 2 ** 31, imageRoot: 'a'.repeat(64) }],
    asked: [{ title: 'Orders', path: '/usr/bin/count', args: ['orders'], timeoutMs: 1000, expectExit: 0, count: null }],
    outputs: [{ out: hash('4711\n'), err: hash('') }],
    result: {
      ...{ v: 1, outcome: 'completed', verdict: 'passed', why: 'booted, 1 of 1 checks passed', rtoSeconds: 41.5 },
      ...{ restoreSeconds: 20, bootSeconds: 11, checks: [check], screenshot, residue: [] },
      ...over,
    },
  }
}

/** As the step of the workflow does it. */
async function record(): Promise<void> {
  here.catalog.points.record(aPoint(1))
  await keepEvidence(here.deps.evidenceDir, screenshot, picture)
  await createRecordActivities(here.catalog, testSeal).recordProof(proof())
}

interface Verification {
  readonly genuine: boolean
  readonly problems: readonly string[]
  readonly picture: string
}
const verification = (): Promise<Verification> => here.get(`/api/v1/drills/${id}/verification`)

test('a drill is signed as it ends: what was proven, what was asked, and who asked', async () => {
  await record()
  expect(await here.get(`/api/v1/drills/${id}`)).toMatchObject({ signed: { key: testKey.id } })
  expect(await verification()).toMatchObject({ genuine: true, problems: [], picture: 'same' })
  for (const [format, type] of [
    ['json', 'application/json'],
    ['html', 'text/html; charset=utf-8'],
  ]) {
    const response = await here.call('GET', `/api/v1/drills/${id}/document?format=${format}`)
    expect(response.headers.get('content-type')).toBe(type)
    expect(response.headers.get('content-disposition')).toContain(`drill-${id}.${format}`)
    const { isGenuine, document } = verifyFile(await response.text(), [testKey.id])
    expect(isGenuine).toBe(true)
    expect(document).toMatchObject({
      installation: { id: here.catalog.installation.get().uuid },
      drill: { id, requestedBy: { user: 'operator', reason: 'quarterly' }, runId: 'run-1' },
      vm: { name: 'web-01', category: 'standard', externalId: 'uuid-web-01' },
      point: { id: pointIdOf(1), stem: aPoint(1).stem },
      disks: [{ disk: 'virtio0', imageRoot: 'a'.repeat(64) }],
      checks: [{ asked: { path: '/usr/bin/count', args: ['orders'] }, outSha256: hash('4711\n'), count: 4711 }],
      rtoSeconds: 41.5,
      rtoTargetSeconds: 4 * 3600,
      screenshot: { sha256: screenshot },
    })
  }
})

test('what was signed first stays, however often the step is repeated', async () => {
  await record()
  const before = here.catalog.evidence.ofDrill(id)
  await createRecordActivities(here.catalog, testSeal).recordProof(proof({ verdict: 'failed' }))
  expect(here.catalog.evidence.ofDrill(id)).toEqual(before)
})

test('a picture that was changed or lost is told, and the document still stands', async () => {
  await record()
  const { rmSync, writeFileSync } = await import('node:fs')
  const path = `${here.deps.evidenceDir}/${screenshot.slice(0, 2)}/${screenshot}`
  writeFileSync(path, Buffer.concat([picture, Buffer.from('.')]))
  expect(await verification()).toMatchObject({ genuine: false, picture: 'changed' })
  rmSync(path)
  expect(await verification()).toMatchObject({ genuine: true, picture: 'missing' })
  const text = await (await here.call('GET', `/api/v1/drills/${id}/document?format=json`)).text()
  expect(verifyFile(text, [testKey.id])).toMatchObject({ isGenuine: true, picture: 'missing' })
})

test('evidence stays verifiable when the key is replaced, and a drill of before signatures says so', async () => {
  await record()
  const { items } = (await (await here.call('POST', '/api/v1/evidence-keys')).json()) as { items: { id: string }[] }
  expect(items).toMatchObject([
    { retiredMs: null, drills: 0 },
    { id: testKey.id, retiredMs: testNow, drills: 1 },
  ])
  expect(await verification()).toMatchObject({ genuine: true })
  here.catalog.drills.record({
    ...{
      vmId: 'web-01',
      pointId: pointIdOf(1),
      repositoryId: 'main',
      verdict: 'passed',
      why: 'ok',
      startedMs: testNow,
    },
    ...{ endedMs: testNow, rtoSeconds: 1, restoreSeconds: 1, bootSeconds: 1, checks: [], screenshot: null },
    ...{ workflowId: 'drill/web-01/earlier', runId: 'run-0' },
  })
  expect(await here.get('/api/v1/drills/web-01.earlier')).toMatchObject({ signed: null })
  expect((await here.call('GET', '/api/v1/drills/web-01.earlier/document')).status).toBe(404)
})

test('a list that shows something else than what was signed is told', async () => {
  here.catalog.points.record(aPoint(1))
  // The verdict is changed in the catalog alone: as somebody does who can write the file.
  const row = { ...here.catalog }
  const changed = { ...row, drills: { ...row.drills, get: (of: string) => ({ ...row.drills.get(of), rtoSeconds: 1 }) } }
  await createRecordActivities(here.catalog, testSeal).recordProof(proof({ screenshot: null }))
  const { verifyDrill } = await import('./drill-evidence.ts')
  const report = await verifyDrill({ catalog: changed, evidenceDir: here.deps.evidenceDir }, changed.drills.get(id))
  expect(report.problems).toEqual(['the time to recovery in the catalog is not what was signed'])
})
