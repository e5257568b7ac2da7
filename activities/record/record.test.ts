import { expect, onTestFinished, test } from 'vitest'
import { aPoint, furnish, pointIdOf, testCatalog, testNow } from '../../catalog/testing.ts'
import { createInstantRecordActivities } from '../instant/record.ts'
import { createRecordActivities } from './index.ts'
import { testSeal } from '../../evidence/testing.ts'

test('what was made of a copy with a name of its own is written down of its point', async () => {
  const here = testCatalog()
  onTestFinished(() => here[Symbol.dispose]())
  const { catalog } = here
  furnish(catalog)
  const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
  catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/srv/secrets/offsite' })
  catalog.points.record(aPoint(1))
  const stem = `${aPoint(1).stem.slice(0, -32)}${'e'.repeat(32)}`
  const pointId = pointIdOf(1)
  const seen = { sourceId: 'main', validatedMs: testNow, lockUntilMs: null }
  catalog.copies.found({ pointId, repositoryId: 'offsite', stem, ...seen })

  const run = { workflowId: 'drill/web-01/1', runId: 'run-1' }
  const of = { vmId: 'web-01', repositoryId: 'offsite', stem }
  await createRecordActivities(catalog, testSeal).recordProof({
    ...run,
    ...of,
    ...{ startedMs: testNow, endedMs: testNow + 1 },
    result: {
      ...{ v: 1, outcome: 'completed', verdict: 'passed', why: 'all checks passed', rtoSeconds: 9, restoreSeconds: 5 },
      ...{ bootSeconds: 4, checks: [], screenshot: null, residue: [] },
    },
  })
  expect(catalog.points.get(pointId).proof).toMatchObject({ verdict: 'passed', rtoSeconds: 9 })

  await createInstantRecordActivities(catalog).recordInstant({
    ...of,
    ...{ workflowId: 'instant/1', runId: 'run-2', endpointId: 'lab', name: 'web-01-now', network: 'isolated' },
    ...{ requestedUser: 'ann', startedMs: testNow },
  })
  expect(catalog.instants.get('run-2')).toMatchObject({ pointId, repositoryName: 'offsite' })
})

test('what a boot out of a repository has read is kept for the VM, the newest of it', async () => {
  const here = testCatalog()
  onTestFinished(() => here[Symbol.dispose]())
  const { catalog } = here
  furnish(catalog)
  catalog.points.record(aPoint(1))
  const { stem } = aPoint(1)
  const list = {
    bytes: 3 * 2 ** 20,
    disks: [
      {
        key: 'virtio0',
        runs: [
          [0, 2],
          [700, 1],
        ] as const,
      },
    ],
  }
  const proof = async (time: string, endedMs: number, boot: typeof list | null): Promise<void> =>
    createRecordActivities(catalog, testSeal).recordProof({
      ...{ workflowId: `drill/web-01/${time}`, runId: time, vmId: 'web-01', repositoryId: 'main', stem },
      ...{ startedMs: testNow, endedMs, bootedFrom: 'repository', boot },
      result: {
        ...{ v: 1, outcome: 'completed', verdict: 'passed', why: 'all checks passed', rtoSeconds: 9 },
        ...{ restoreSeconds: 1, bootSeconds: 4, checks: [], screenshot: null, residue: [] },
      },
    })
  await proof('2', testNow + 2, list)
  await proof('1', testNow + 1, { ...list, bytes: 2 ** 20 })
  await proof('3', testNow + 3, null)
  expect(catalog.bootLists.of('web-01')).toEqual({ ...list, drillId: 'web-01.2', recordedMs: testNow + 2 })
  expect(catalog.bootLists.of('db-01')).toBeNull()
  expect(catalog.drills.get('web-01.3').bootedFrom).toBe('repository')

  const { bytes } = list
  const boot = { drillId: 'web-01.2', recordedMs: testNow + 2, bytes }
  await createInstantRecordActivities(catalog).recordInstant({
    ...{ workflowId: 'instant/1', runId: 'run-2', endpointId: 'lab', name: 'web-01-now', network: 'isolated' },
    ...{ requestedUser: 'ann', startedMs: testNow, vmId: 'web-01', repositoryId: 'main', stem, boot },
  })
  expect(catalog.instants.get('run-2').boot).toEqual(boot)
})
