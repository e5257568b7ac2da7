import { expect, it } from 'vitest'
import { leadParts } from './lead.ts'

it('has a link for each VM that it names, and the words as they were', () => {
  const lead = 'db-01 is late, and so is Mail 01.'
  const vms = [
    { id: 'db-01', name: 'db-01' },
    { id: 'mail-01', name: 'Mail 01' },
    { id: 'gone', name: 'nobody' },
  ]
  expect(leadParts(lead, vms)).toEqual([
    { text: 'db-01', href: '/vms/db-01' },
    { text: ' is late, and so is ', href: null },
    { text: 'Mail 01', href: '/vms/mail-01' },
    { text: '.', href: null },
  ])
  expect(leadParts(lead, [])).toEqual([{ text: lead, href: null }])
})
