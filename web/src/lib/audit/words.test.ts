import { expect, test } from 'vitest'
import { auditEntries } from '#lib/fixtures/audit.ts'
import { actionWords, whatOf } from './words.ts'

test('says of each kind what was taken', () => {
  expect(auditEntries.map((entry) => [actionWords[entry.action], whatOf(entry).text, whatOf(entry).more])).toEqual([
    ['Took a file', 'd0p1:/srv/payroll/2026-10.ods', 0],
    ['Took an archive', 'd0p1:/etc', 2],
    ['Put into the guest', 'd0p1:/etc/hosts', 0],
    ['Took a disk', 'scsi1 as qcow2', 0],
    ['New signing key', 'c41f0b7e92d85a3611e07c9fd24b8a605d3e91f7b8c2046a97ed15f3820bc64d', 0],
  ])
})
