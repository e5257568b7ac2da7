import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { backupCommand, drillCommand, holdCommand, importCommand, joinCommand, quoted } from './commands.ts'

it('a shown command says what the button does', () => {
  const plain = {
    full: false,
    stopBefore: false,
    publish: false,
    takeOverFrom: null,
    repositoryId: null,
    name: '',
    description: '',
  }
  expect(backupCommand(['web-01', 'db-01'], { ...plain, full: true, name: 'before the move' })).toBe(
    "holdfast backup web-01 db-01 --full --name 'before the move'",
  )
  expect(backupCommand(['web-01'], { ...plain, repositoryId: 'offsite' })).toBe(
    'holdfast backup web-01 --repository offsite',
  )
  expect(backupCommand(['web-01'], { ...plain, stopBefore: true, publish: true, name: '4.2.0' })).toBe(
    'holdfast backup web-01 --stop-before --publish --name 4.2.0',
  )
  expect(backupCommand(['web-01'], { ...plain, name: "before Bob's release" })).toBe(
    `holdfast backup web-01 --name 'before Bob'\\''s release'`,
  )
  expect(backupCommand(['web-01'], { ...plain, description: 'for the audit' })).toBe(
    `holdfast backup web-01 --description 'for the audit'`,
  )
  expect(backupCommand(['web-01'], { ...plain, takeOverFrom: 'site of Lyon' })).toBe(
    `holdfast backup web-01 --take-over-from 'site of Lyon'`,
  )
  expect(joinCommand('nightly', ['web-01', 'db-01'])).toBe('holdfast plans join nightly web-01 db-01')
  const points = [
    { id: 'p1', vmId: 'web-01' },
    { id: 'p2', vmId: 'db-01' },
  ]
  expect(holdCommand(points, 'pin', 'case 7')).toBe(
    `holdfast point pin web-01 p1 --reason 'case 7' && holdfast point pin db-01 p2 --reason 'case 7'`,
  )
  expect(holdCommand(points.slice(0, 1), 'legal', 'case 7')).toBe(`holdfast point hold web-01 p1 --reason 'case 7'`)
  const folder = { id: 'imports', address: '/srv/old images/' }
  expect(importCommand('old server', folder, ['root.vmdk', 'data.raw'], 'main')).toBe(
    `holdfast point import --vm 'old server' --hypervisor imports --repository main '/srv/old images/root.vmdk' '/srv/old images/data.raw'`,
  )
  expect(drillCommand('web-01', null)).toBe('holdfast drill web-01')
  expect(drillCommand('web-01', null, 'repository')).toBe('holdfast drill web-01 --from repository')
})

it('a shell reads back exactly the word that was quoted', () => {
  const word = fc.string({ minLength: 1, maxLength: 30 }).filter((s) => !/[\0\n\r]/.test(s))
  const words = fc.sample(word, 40)
  const out = execFileSync('sh', ['-c', `printf '%s\\n' ${words.map(quoted).join(' ')}`], { encoding: 'utf8' })
  expect(out.split('\n').slice(0, -1)).toEqual(words)
})
