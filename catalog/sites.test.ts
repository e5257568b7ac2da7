import { expect, test } from 'vitest'
import { aRun, furnish, testCatalog } from './testing.ts'

const place = { kind: 'posix', path: '/srv/backup' } as const

test('a site is there with what names it, counts what is of it, and goes only when nothing is', () => {
  using world = testCatalog()
  const { catalog } = world
  furnish(catalog)
  catalog.repositories.add({ name: 'far', site: 'lyon', location: place, credentialRef: 'file:/a' })
  catalog.runs.started({ ...aRun(1), repositoryId: null })
  catalog.runs.started({ ...aRun(2), workflowId: 'verify/far', vmId: null, repositoryId: 'far' })
  const counts = () =>
    catalog.sites
      .list()
      .map(({ name, hypervisors, repositories, running }) => [name, hypervisors, repositories, running])
  expect(counts()).toEqual([
    ['local', 1, 1, 1],
    ['lyon', 0, 1, 1],
  ])
  expect(catalog.runs.list({ limit: 10 }, { state: 'open', site: 'lyon' }).items.map(({ runId }) => runId)).toEqual([
    'run-2',
  ])
  expect(() => catalog.sites.remove('local')).toThrow('1 hypervisor and 1 repository are of site local')
  expect(() => catalog.sites.remove('lyon')).toThrow('1 repository is of site lyon')
  expect(() => catalog.sites.remove('moon')).toThrow('there is no site moon')
  catalog.endpoints.move('lab', { site: 'paris' })
  expect(catalog.sites.find('paris')).toMatchObject({ hypervisors: 1, running: 1, handsSecrets: false })
})

test('what is not given of a site stays, and its tokens end with it', () => {
  using world = testCatalog()
  const { catalog } = world
  catalog.sites.put('lyon', { description: 'second hall', handsSecrets: true })
  expect(catalog.sites.put('lyon', { handsSecrets: false })).toMatchObject({
    description: 'second hall',
    handsSecrets: false,
  })
  const token = { id: 'lyon-1', name: 'workers of lyon', hash: 'a'.repeat(64), role: 'worker', site: 'lyon' } as const
  catalog.access.putToken(token)
  catalog.access.openSession('b'.repeat(64), token.id, 1000)
  expect(() => catalog.access.revoke('paris', token.id)).toThrow('there is no token')
  expect(catalog.access.session('b'.repeat(64))).toBeDefined()
  catalog.sites.remove('lyon')
  expect([catalog.access.tokens(), catalog.access.session('b'.repeat(64))]).toEqual([[], undefined])
})

test('a secret is of a site while a hypervisor or a repository of it names it', () => {
  using world = testCatalog()
  const { catalog } = world
  furnish(catalog)
  catalog.sites.put('lyon', {})
  expect(catalog.sites.isSecret('local', 'file:/srv/secrets/main')).toBe(true)
  expect(catalog.sites.isSecret('lyon', 'file:/srv/secrets/main')).toBe(false)
  expect(catalog.sites.isSecret('local', '')).toBe(false)
})

test('what names are at another site is said once for each, and ends with that site', () => {
  using world = testCatalog()
  const { sites } = world.catalog
  for (const name of ['lyon', 'paris', 'rome']) sites.put(name, {})
  const map = (to: string, network: string) => ({ to, networks: [{ from: 'prod', to: network }], storages: [] })
  sites.putMap('lyon', map('rome', 'a'))
  sites.putMap('lyon', map('paris', 'b'))
  expect(sites.putMap('lyon', map('rome', 'c')).maps.map(({ to }) => to)).toEqual(['paris', 'rome'])
  expect(sites.mapBetween('lyon', 'rome')).toEqual(map('rome', 'c'))
  expect([sites.mapBetween('rome', 'lyon'), sites.mapBetween('lyon', 'lyon')]).toEqual([undefined, undefined])
  expect(() => sites.putMap('lyon', map('lyon', 'c'))).toThrow('stay as they are')
  expect(() => sites.putMap('lyon', map('moon', 'c'))).toThrow('there is no site moon')
  sites.remove('rome')
  expect(sites.get('lyon').maps).toEqual([map('paris', 'b')])
  expect(sites.putMap('lyon', { to: 'paris', networks: [], storages: [] }).maps).toEqual([])
})
