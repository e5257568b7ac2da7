import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { MiB } from '../../base/index.ts'
import { FaultClock, FaultyStore, type StoreCall } from '../store/index.ts'
import { backUp, ModelBackup, ModelDisk, RepositoryLab, seededBytes } from '../testing/index.ts'

vi.setConfig({ testTimeout: 30_000 })

/** docs/repository-format.md §16: requests cost money and time, so each is accounted for. */
let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

async function counted() {
  const clock = new FaultClock()
  const repository = await lab.open({ connect: () => new FaultyStore(lab.bucket.connect(), () => undefined, clock) })
  const begun = clock.calls.length
  return {
    repository,
    requests: () =>
      clock.calls
        .slice(begun)
        .filter(({ op }) => op !== 'flush')
        .map((call) => label(call, lab)),
  }
}

/** `PUT data pack`, `LIST gc/`, … as the table of §16 names them. */
function label({ op, name }: StoreCall, { bucket }: RepositoryLab): string {
  const [folder = ''] = name.split('/')
  if (op === 'list') return folder === 'sess' ? 'LIST sess' : folder === 'snap' ? 'LIST stem' : `LIST ${name}`
  if (op !== 'put') return `${op.toUpperCase()} ${folder}`
  if (folder === 'pack') return bucket.body(name)[10] === 1 ? 'PUT meta pack' : 'PUT data pack'
  if (folder === 'snap') return `PUT ${name.slice(name.lastIndexOf('.'))}`
  return `PUT ${folder}`
}

const configs = [{ name: 'vm.xml', type: 'native', content: Buffer.from('<vm/>') }] as const

describe('requests', () => {
  it('of the smallest first backup are exactly those of the table, in its order', async () => {
    const { repository, requests } = await counted()
    await using _ = repository
    const disk = new ModelDisk(4 * MiB)
    disk.write(0, seededBytes(1, 2 * MiB))
    await new ModelBackup(repository, disk, { configs }).run(repository)
    expect(requests()).toEqual([
      // S0
      ...['LIST gc/', 'LIST floor/', 'GET floor', 'PUT sess'],
      // S1
      ...['LIST idx/', 'LIST bad/'],
      // S2, S4
      ...['PUT data pack', 'PUT meta pack'],
      // S5
      ...['PUT idx', 'LIST sess', 'PUT sess'],
      // W0
      ...['PUT data pack', 'PUT idx', 'PUT sess'],
      // W1
      'PUT .m',
      // W2
      ...['LIST stem', 'LIST gc/', 'LIST floor/', 'LIST bad/'],
      // W3
      ...['PUT .ok', 'LIST stem'],
      // W4
      'PUT sess',
    ])
  })

  it('of a backup without a change are six PUTs, configuration included', async () => {
    await using first = await lab.open()
    const disk = new ModelDisk(4 * MiB)
    disk.write(0, seededBytes(2, 2 * MiB))
    const { stem } = await backUp(first, disk, { vm: 'unchanged', configs })
    const { repository, requests } = await counted()
    await using _ = repository
    await backUp(repository, disk, { vm: 'unchanged', configs, parent: stem, source: { extents: [] } })
    const all = requests()
    expect(all.filter((request) => request.startsWith('PUT'))).toEqual([
      'PUT sess',
      'PUT sess',
      'PUT sess',
      'PUT .m',
      'PUT .ok',
      'PUT sess',
    ])
    expect(all.filter((request) => request === 'HEAD pack')).toEqual([])
  })

  it('grow by what the formula says for journals and parts', async () => {
    const { repository, requests } = await counted()
    await using _ = repository
    const disk = new ModelDisk(9 * MiB)
    disk.write(0, seededBytes(3, 9 * MiB))
    await backUp(repository, disk, { vm: 'journals', journalSourceBytes: 4 * MiB })
    const all = requests()
    const count = (request: string) => all.filter((each) => each === request).length
    // Two journals (after 4 and 8 MiB), each with its pack and L0; then the rest.
    expect(count('PUT data pack')).toBe(3)
    expect(count('PUT idx')).toBe(3)
    expect(count('PUT sess')).toBe(3 + 2 + 1)
    const puts = all.filter((request) => request.startsWith('PUT')).length
    expect(puts).toBe(5 + 4 + 3 + 2 + 1)
    expect(all.filter((request) => request.startsWith('LIST')).length).toBe(9 + 2 + 1)
  })
})
