import { afterEach, beforeEach, expect, it } from 'vitest'
import { aVm } from '../catalog/testing.ts'
import type { BackupInput } from '../workflows/backup/contract.ts'
import type { DiscoverResult, LookAtImagesInput } from '../workflows/inventory/contract.ts'
import { bench, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(() => {
  here = bench()
  here.catalog.endpoints.add({
    ...{ name: 'imports', platform: 'image', address: '/srv/images', site: 'local', credentialRef: '', options: {} },
  })
})
afterEach(() => here[Symbol.dispose]())

const found: DiscoverResult = {
  ...{ v: 1, version: '1', identity: null, evidence: 'verified', capabilities: null, findings: [], error: null },
  ...{ found: 1, added: 1, changed: 0, gone: 0 },
}
const wish = { vm: 'old', files: ['root.raw', 'data.raw'], reason: 'moved' }
const post = (body: object, key?: string): Promise<Response> =>
  here.call('POST', '/api/v1/hypervisors/imports/imports', body, key === undefined ? {} : { 'idempotency-key': key })
const looks = (): LookAtImagesInput[] =>
  here.engine.started.flatMap(({ workflow, input }) =>
    workflow === 'lookAtImages' ? [input as LookAtImagesInput] : [],
  )

/** A worker that describes, and lists what it has described. */
function worker(): void {
  here.engine.answers.set('lookAtImages', () => ({ v: 1, images: [], error: null }))
  here.engine.answers.set('discoverEndpoint', () => {
    const { name } = looks().at(-1)?.vm ?? { name: 'none' }
    here.catalog.vms.recordDiscovered('imports', 'l1', [aVm(name)])
    return found
  })
}

it('images of the folder become a VM, which is backed up', async () => {
  worker()
  const answer = await post({ ...wish, name: 'before the move' })
  expect([answer.status, await answer.json()]).toMatchObject([202, { workflowId: 'backup/old' }])
  expect(looks()).toMatchObject([{ endpoint: { id: 'imports' }, vm: { name: 'old', files: wish.files } }])
  expect(here.engine.started.at(-1)?.input as BackupInput).toMatchObject({
    ...{ want: 'crash', name: 'before the move', requestedBy: { reason: 'moved' } },
    vm: { ref: { name: 'old' } },
  })
})

it('a request that is repeated with its key starts nothing twice', async () => {
  worker()
  const first = (await (await post(wish, 'key-of-1')).json()) as { runId: string }
  expect(await (await post(wish, 'key-of-1')).json()).toMatchObject({ runId: first.runId })
  expect(here.engine.started.filter(({ workflow }) => workflow === 'backupVm')).toHaveLength(1)
})

it('what the worker refuses is said in its words, and nothing is started', async () => {
  const error = {
    ...{ code: 'Unsupported', message: 'root.raw is no disk by itself', hint: 'Make one image of all of it first.' },
    ...{ retry: 'never', docs: 'errors.md#unsupported', causes: [] },
  }
  here.engine.answers.set('lookAtImages', () => ({ v: 1, images: [], error }))
  const answer = await post(wish)
  expect([answer.status, await answer.json()]).toMatchObject([422, { code: error.code, hint: error.hint }])
  expect(here.engine.started.map(({ workflow }) => workflow)).toEqual(['lookAtImages'])
  const other = await here.call('POST', '/api/v1/hypervisors/lab/imports', wish)
  expect([other.status, await other.json()]).toMatchObject([422, { code: 'Unsupported' }])
  expect((await post({ ...wish, vm: '../old' })).status).toBe(400)
  expect((await post({ ...wish, files: [] })).status).toBe(400)
})

it('what lies in the folder is listed', async () => {
  const images = [{ file: 'root.raw', format: 'raw', bytes: 5, vm: null, problem: null }]
  here.engine.answers.set('lookAtImages', () => ({ v: 1, images, error: null }))
  const answer = await here.call('GET', '/api/v1/hypervisors/imports/images')
  expect([answer.status, await answer.json()]).toEqual([200, { items: images }])
  expect(looks()).toMatchObject([{ vm: null }])
})
