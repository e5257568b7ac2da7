import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { datastoreOf } from './datastore.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-datastore-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
for (const dir of ['local/deep', 'shared pool', 'local-2']) mkdirSync(join(folder, dir), { recursive: true })
const file = (path: string): string => {
  writeFileSync(join(folder, path), '')
  return join(folder, path)
}
const table = join(folder, 'mountinfo')
writeFileSync(
  table,
  [
    '20 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw',
    `21 20 8:2 / ${folder}/local rw - xfs /dev/sdb1 rw`,
    `22 20 0:50 / ${folder}/${'shared pool'.replace(' ', '\\040')} rw shared:2 - nfs4 NAS-1:/export/vms rw`,
    'not a mount',
  ].join('\n'),
)
const local = `lab.${folder
  .slice(1)
  .replaceAll(/[^a-zA-Z0-9._-]+/g, '-')
  .toLowerCase()}-local`

it('names the file system below a disk: by its host, and a network one by where it comes from', async () => {
  expect(await datastoreOf('lab', file('local/a.qcow2'), table)).toBe(local)
  expect(await datastoreOf('lab', file('local/deep/b.qcow2'), table)).toBe(local)
  expect(await datastoreOf('lab', file('local-2/c.qcow2'), table)).toBe('lab.root')
  expect(await datastoreOf('lab', file('shared pool/d.qcow2'), table)).toBe('nas-1-export-vms')
  expect(await datastoreOf('other', join(folder, 'shared pool/d.qcow2'), table)).toBe('nas-1-export-vms')
  symlinkSync(join(folder, 'shared pool/d.qcow2'), join(folder, 'local/link.qcow2'))
  expect(await datastoreOf('lab', join(folder, 'local/link.qcow2'), table)).toBe('nas-1-export-vms')
})

it('names nothing where that cannot be told, and by the table of this host where it can', async () => {
  expect(await datastoreOf('lab', join(folder, 'gone'), table)).toBeUndefined()
  expect(await datastoreOf('lab', file('local/e'), join(folder, 'no table'))).toBeUndefined()
  expect(await datastoreOf('lab', file('local/e'))).toMatch(/^[a-z0-9][a-z0-9._-]{0,99}$/)
})
