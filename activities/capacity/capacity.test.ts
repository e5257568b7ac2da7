import { expect, it } from 'vitest'
import { furnish, testCatalog } from '../../catalog/testing.ts'
import { createCapacityActivities } from './index.ts'

const run = (n: number) => ({ runId: `run-${n}`, workflowId: `backup/vm-${n}`, title: 'Backup', priority: 3 })

it('a backup needs its host, the storages of the disks that it reads, the repository and the link; a mirror both repositories', async () => {
  using world = testCatalog()
  const { catalog } = world
  furnish(catalog)
  const vm = catalog.vms.get('web-01')
  const disk = { ...vm.disks[0], label: '', size: 1, format: 'qcow2', role: 'data' as const, skip: null }
  catalog.vms.recordDiscovered(vm.endpointId, 'now', [
    {
      vm: { scope: vm.scope, id: vm.externalId, name: vm.name },
      power: 'running',
      tags: [],
      disks: [
        { ...disk, key: 'a', datastore: 'nas-1' },
        { ...disk, key: 'b', datastore: 'nas-1' },
        { ...disk, key: 'c' },
        { ...disk, key: 'd', datastore: 'left-out', skip: 'its label says [NOBAK]' },
      ],
      guest: { agent: 'absent', os: null },
      foreignSnapshots: 0,
      owner: null,
      findings: [],
    },
  ])
  catalog.slots.setLimit('datastore/nas-1', 1)
  const { claimSlots } = createCapacityActivities(catalog)
  const at = { kind: 'backup' as const, hostId: 'lab', repositoryId: 'main', site: 'lyon', vmId: vm.id }
  expect(await claimSlots({ ...run(1), ...at })).toEqual({ granted: true, waitsFor: [] })
  expect(catalog.slots.list()[0]?.needs).toEqual(['host/lab', 'datastore/nas-1', 'repository/main', 'link/lyon'])
  // Another VM of the same storage would wait by it; one of which nothing is known does not.
  expect(await claimSlots({ ...run(2), ...at })).toEqual({ granted: false, waitsFor: ['datastore/nas-1'] })
  expect((await claimSlots({ ...run(3), ...at, vmId: 'unknown' })).granted).toBe(true)
  const mirror = { ...run(4), kind: 'mirror' as const, priority: 6, hostId: null, vmId: null, site: 'lyon' }
  await claimSlots({ ...mirror, repositoryId: 'offsite', otherRepositoryId: 'main' })
  expect(catalog.slots.list().find(({ runId }) => runId === 'run-4')?.needs).toEqual([
    'repository/offsite',
    'repository/main',
    'link/lyon',
  ])
})
