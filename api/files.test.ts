import { afterEach, beforeEach, expect, it } from 'vitest'
import { HoldfastError } from '../base/index.ts'
import { aPoint, pointIdOf } from '../catalog/testing.ts'
import type { FileGateway, Question } from '../files/types.ts'
import type { FilesInput, RestoreFilesInput } from '../workflows/files/contract.ts'
import { ran } from '../cli/testing.ts'
import { bench, type Bench } from './testing/bench.ts'

const session = 'a'.repeat(32)
const entry = {
  ...{ name: 'hostname', path: '/etc/hostname', kind: 'file', size: 5, mode: 0o644, uid: 0, gid: 0 },
  ...{ modifiedMs: 1_700_000_000_000, target: null },
} as const

let here: Bench
let asked: Question[]
beforeEach(() => {
  asked = []
  const answers = {
    volumes: [],
    stat: entry,
    list: { items: [entry], next: null, total: 1, isComplete: true },
    search: { items: [entry], lookedAt: 9, isComplete: false, unreadable: 1 },
  }
  const files: FileGateway = {
    sandbox: () => Promise.resolve({ user: 'own', isApart: false, whyNot: 'Operation not permitted' }),
    ask: async (_session, question: Question) => {
      asked.push(question)
      return answers[question.what as keyof typeof answers] as never
    },
    stream: async (_session, question) => {
      asked.push(question)
      const body = async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from('hel')
        yield Buffer.from('lo')
        if (question.what === 'archive' && question.paths.includes('/bad')) throw new Error('cut')
      }
      return { size: question.what === 'content' ? 5 : null, body: body(), cut: new AbortController().signal }
    },
  }
  here = bench({ files })
  here.catalog.points.record(aPoint(1))
})
afterEach(() => here[Symbol.dispose]())

it('opens a point at the site of its repository, and only one that is validated', async () => {
  const run = await here.call('POST', '/api/v1/files', { pointId: pointIdOf(1), reason: 'lost letter' })
  expect(run.status).toBe(202)
  const { workflow, workflowId, input, priority } = here.engine.started[0] ?? {}
  expect([workflow, priority]).toEqual(['fileRestore', 1])
  expect(input as FilesInput).toMatchObject({
    ...{ vmId: 'web-01', disks: null, idleMs: 15 * 60_000, requestedBy: { reason: 'lost letter' } },
    requestId: workflowId?.split('/')[1],
  })
  here.catalog.points.record(aPoint(3, { validatedMs: null }))
  expect((await here.call('POST', '/api/v1/files', { pointId: pointIdOf(3) })).status).toBe(422)
})

it('opens a point for its disks alone, and hands one out under its name', async () => {
  await here.call('POST', '/api/v1/files', { pointId: pointIdOf(1), view: 'disks' })
  expect(here.engine.started[0]?.input as FilesInput).toMatchObject({ view: 'disks', disks: null })
  expect(here.engine.started[0]?.memo?.title).toBe('Disks of web-01 as images')
  const base = `/api/v1/files/${session}/image`
  const image = await here.call('GET', `${base}?disk=scsi0:1&format=vhdx`)
  expect([image.status, await image.text()]).toEqual([200, 'hello'])
  expect(image.headers.get('content-disposition')).toContain('filename="scsi0_1.vhdx"')
  expect(asked).toEqual([{ what: 'image', disk: 'scsi0:1', format: 'vhdx' }])
  expect(here.logged.at(-1)).toMatchObject({ data: { user: 'operator', disk: 'scsi0:1', format: 'vhdx' } })
  expect((await here.call('GET', `${base}?disk=scsi0:1&format=vdi`)).status).toBe(400)
})

it('starts files on their way into the guest, replaces only what is confirmed, and says who took what', async () => {
  const { workflowId = '' } = (await (await here.call('POST', '/api/v1/files', { pointId: pointIdOf(1) })).json()) as {
    workflowId?: string
  }
  const base = `/api/v1/${workflowId}/restore`
  const run = await here.call('POST', base, { volume: 'd0p1', paths: ['/etc/hosts'], reason: 'lost' })
  expect(run.status).toBe(202)
  const { workflow, input, memo } = here.engine.started.at(-1) ?? {}
  expect([workflow, memo?.title]).toEqual(['restoreFiles', '/etc/hosts into web-01'])
  expect(input as RestoreFilesInput).toMatchObject({
    ...{ session: workflowId.slice('files/'.length), volume: 'd0p1', paths: ['/etc/hosts'], place: { kind: 'beside' } },
    vm: { id: 'web-01', ref: { name: 'web-01' } },
  })
  expect(await here.get('/api/v1/runs?kind=restore')).toMatchObject({ items: [{ title: '/etc/hosts into web-01' }] })
  expect(here.logged.at(-1)).toMatchObject({ message: 'files of a point were taken', data: { paths: ['/etc/hosts'] } })
  const replace = { volume: 'd0p1', paths: ['/etc/hosts'], to: { kind: 'replace' } }
  const unsure = await here.call('POST', base, replace)
  expect([unsure.status, await unsure.json()]).toMatchObject([
    400,
    { code: 'InvalidRequest', data: { confirmName: 'web-01' } },
  ])
  expect((await here.call('POST', base, { ...replace, confirmName: 'web-01' })).status).toBe(202)
  for (const folder of ['srv', '/srv/../etc', ''])
    expect((await here.call('POST', base, { ...replace, to: { kind: 'folder', folder } })).status).toBe(400)
  expect((await here.call('POST', `/api/v1/files/${'9'.repeat(32)}/restore`, replace)).status).toBe(404)
})

it('passes questions on as they were asked, and answers as they are', async () => {
  const base = `/api/v1/files/${session}`
  const list = await here.call('GET', `${base}/entries?volume=d0p1&path=/etc&from=10&limit=5`)
  expect(await list.json()).toEqual({ items: [entry], next: null, total: 1, isComplete: true })
  const found = await here.call('GET', `${base}/search?volume=d0p1&q=*.doc`)
  expect(await found.json()).toMatchObject({ lookedAt: 9, isComplete: false })
  expect(asked).toEqual([
    { what: 'list', volume: 'd0p1', path: '/etc', from: 10, limit: 5 },
    { what: 'search', volume: 'd0p1', path: '/', text: '*.doc' },
  ])
  expect((await here.call('GET', `${base}/entries?volume=d0p1&limit=100000`)).status).toBe(400)
  expect((await here.call('GET', `/api/v1/files/..%2f..%2fx/volumes`)).status).toBe(400)
})

it('hands a file out as something to save, never as a page', async () => {
  const path = encodeURIComponent('/home/Größe "x".html')
  const file = await here.call('GET', `/api/v1/files/${session}/content?volume=d0p1&path=${path}`)
  expect(await file.text()).toBe('hello')
  expect(file.headers.get('content-type')).toBe('application/octet-stream')
  expect(file.headers.get('content-length')).toBe('5')
  expect(file.headers.get('x-content-type-options')).toBe('nosniff')
  expect(file.headers.get('content-disposition')).toBe(
    `attachment; filename="Gr__e _x_.html"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%22x%22.html`,
  )
})

it('makes one archive of several places, and cuts it off where it breaks', async () => {
  const base = `/api/v1/files/${session}/archive?volume=d0p1`
  expect(await (await here.call('GET', `${base}&path=/etc&path=/var`)).text()).toBe('hello')
  expect(await (await here.call('GET', `${base}&path=/etc`)).text()).toBe('hello')
  const zip = await here.call('GET', `${base}&path=/etc&format=zip`)
  expect([zip.headers.get('content-type'), zip.headers.get('content-disposition')]).toEqual([
    'application/zip',
    expect.stringContaining('filename="d0p1.zip"'),
  ])
  expect(asked).toMatchObject([
    { paths: ['/etc', '/var'], format: 'tar' },
    { paths: ['/etc'], format: 'tar' },
    { paths: ['/etc'], format: 'zip' },
  ])
  await expect(here.call('GET', `${base}&path=/bad`).then((response) => response.text())).rejects.toThrow()
})

it('writes down who took which file of which point, for the list and as a file, before anything leaves', async () => {
  const { workflowId = '' } = (await (await here.call('POST', '/api/v1/files', { pointId: pointIdOf(1) })).json()) as {
    workflowId?: string
  }
  const opened = workflowId.slice('files/'.length)
  await here.call('GET', `/api/v1/files/${opened}/content?volume=d0p1&path=/etc/hostname`)
  here.clock.ms += 1000
  await here.call('GET', `/api/v1/files/${opened}/content?volume=d0p1&path=/etc/hosts&start=3&end=9`)
  here.clock.ms += 1000
  await here.call('GET', `/api/v1/files/${opened}/archive?volume=d0p1&path=/etc&path=/var`)
  here.clock.ms += 1000
  await here.call('GET', `/api/v1/files/${opened}/image?disk=virtio0&format=qcow2`)
  // What is only looked at leaves nothing behind.
  await here.call('GET', `/api/v1/files/${opened}/entries?volume=d0p1&path=/etc`)
  const of = { user: 'operator', vmId: 'web-01', vmName: 'web-01', pointId: pointIdOf(1), subject: opened }
  expect(await here.get('/api/v1/audit?vmId=web-01')).toMatchObject({
    total: 4,
    items: [
      { ...of, action: 'read-disk', detail: { disk: 'virtio0', format: 'qcow2' } },
      { ...of, action: 'read-archive', detail: { volume: 'd0p1', paths: ['/etc', '/var'], format: 'tar' } },
      { ...of, action: 'read-file', detail: { paths: ['/etc/hosts'], range: { start: 3, end: 9 } } },
      { ...of, action: 'read-file', detail: { volume: 'd0p1', paths: ['/etc/hostname'] } },
    ],
  })
  expect(await here.get('/api/v1/audit?user=somebody')).toMatchObject({ total: 0 })
  expect(await here.get('/api/v1/audit?action=read-disk')).toMatchObject({ total: 1 })
  const csv = await (await here.call('GET', '/api/v1/exports/audit')).text()
  expect(
    csv.split('\r\n').map((row) =>
      row
        .split(',')
        .slice(1, 5)
        .concat(row.split(',')[7] ?? ''),
    ),
  ).toEqual([
    ['user', 'action', 'vm', 'point', 'path'],
    ['operator', 'read-disk', 'web-01', pointIdOf(1), ''],
    ['operator', 'read-archive', 'web-01', pointIdOf(1), '/etc'],
    ['operator', 'read-archive', 'web-01', pointIdOf(1), '/var'],
    ['operator', 'read-file', 'web-01', pointIdOf(1), '/etc/hosts'],
    ['operator', 'read-file', 'web-01', pointIdOf(1), '/etc/hostname'],
    [''],
  ])
  const { out } = await ran(here, ['audit', 'web-01'])
  expect(out).toMatch(/operator +took an archive +web-01 .* d0p1:\/etc and 1 more/)
})

it('hands nothing out that cannot be written down', async () => {
  Object.assign(here.catalog.audit, {
    add: () => {
      throw new HoldfastError('Internal', 'the disk is full (a test)')
    },
  })
  const answer = await here.call('GET', `/api/v1/files/${session}/content?volume=d0p1&path=/etc/hostname`)
  expect([answer.status, await answer.text()]).toEqual([500, expect.not.stringContaining('hello')])
})

it('keeps in its log who took what, and refuses a range that ends before it begins', async () => {
  const base = `/api/v1/files/${session}`
  await here.call('GET', `${base}/content?volume=d0p1&path=/etc/hostname`)
  await here.call('GET', `${base}/archive?volume=d0p1&path=/etc&path=/var`)
  expect(
    here.logged.filter(({ message }) => message === 'files of a point were taken').map(({ data }) => data),
  ).toEqual([
    { user: 'operator', session, volume: 'd0p1', paths: ['/etc/hostname'], more: 0 },
    { user: 'operator', session, volume: 'd0p1', format: 'tar', paths: ['/etc', '/var'], more: 0 },
  ])
  const refused = await here.call('GET', `${base}/content?volume=d0p1&path=/x&start=10&end=5`)
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('ends before it begins')])
})

it('opens nothing for who asks for the head alone', async () => {
  for (const what of [
    'image?disk=virtio0',
    'content?volume=d0p1&path=/etc/hostname',
    'archive?volume=d0p1&path=/etc',
  ]) {
    const head = await here.call('HEAD', `/api/v1/files/${session}/${what}`)
    expect([head.status, await head.text()]).toEqual([200, ''])
  }
  expect(asked).toEqual([])
})

it('says why a point is not open: it never was, it has ended, or not yet', async () => {
  using other = bench()
  other.catalog.points.record(aPoint(1))
  const code = async (id: string): Promise<unknown> => {
    const response = await other.call('GET', `/api/v1/files/${id}/volumes`)
    return ((await response.json()) as { code: unknown }).code
  }
  expect(await code(session)).toBe('NotFound')
  await other.call('POST', '/api/v1/files', { pointId: pointIdOf(1) })
  const id = other.engine.started[0]?.workflowId.split('/')[1] ?? ''
  expect(await code(id)).toBe('NoWorker')
  const run = other.engine.runs[0]
  if (run) run.status = 'completed'
  expect(await code(id)).toBe('RunEnded')
})

it('tells the doctor how closed a micro-VM is here', async () => {
  const look = async (world: Bench): Promise<unknown> => {
    const { checks } = await world.get<{ checks: readonly { id: string }[] }>('/api/v1/doctor')
    return checks.find(({ id }) => id === 'files')
  }
  expect(await look(here)).toMatchObject({
    state: 'attention',
    detail: expect.stringContaining('Operation not permitted') as string,
  })
  using closed = bench()
  expect(await look(closed)).toMatchObject({ state: 'ok', detail: 'as nobody; in QEMU’s sandbox, without a network' })
})
