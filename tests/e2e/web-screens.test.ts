import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isExhaustive } from '../support/sampling.ts'
import { pictures } from './web/shots.ts'
import { accessibilityFaults, pictures as folder, sidewaysScroll, Stage, wear, type Look } from './web/stage.ts'

/**
 * axe takes most of the time. By hand it judges each theme and each width once; in `npm test` one of the two looks, and the
 * other in the next turn; with HOLDFAST_EXHAUSTIVE=1 all four.
 */
const looks: readonly (Look & { readonly group: number })[] = [
  { theme: 'light', width: 1440, group: 0 },
  { theme: 'dark', width: 1440, group: 2 },
  { theme: 'dark', width: 390, group: 1 },
  { theme: 'light', width: 390, group: 3 },
]
const turn = process.env['HOLDFAST_TURN']

function isJudged(picture: number, group: number): boolean {
  if (isExhaustive) return true
  return turn === undefined ? group < 2 : group === (picture + Number(turn)) % 2
}

let stage: Stage
beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]()
})

it.concurrent.each(pictures.map((picture, index) => ({ ...picture, index })))(
  '$name is accessible, quiet and offline, and does not scroll sideways, wide and narrow, light and dark',
  async (picture) => {
    const { page, faults, close } = await stage.show(picture)
    for (const look of looks) {
      await wear(page, look)
      const name = `${picture.name}-${look.theme}-${look.width}`
      await page.screenshot({ path: `${folder}${name}.png`, fullPage: true })
      if (isJudged(picture.index, look.group)) expect(await accessibilityFaults(page), name).toEqual([])
      expect(await sidewaysScroll(page), name).toBe(0)
    }
    expect(faults).toEqual({ console: [], foreign: [] })
    await close()
  },
)

it.concurrent('vms-csv: the list as it is filtered is a file, which a reader opens', async () => {
  const { page, faults, close } = await stage.show({ path: '/vms?state=outside-rpo' })
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export CSV' }).click(),
  ])
  const rows = (await readFile(await download.path(), 'utf8')).split('\r\n')
  const [head = '', ...lines] = rows.slice(0, -1).map((row) => row.split(','))
  expect(download.suggestedFilename()).toBe('vms.csv')
  expect(head.slice(0, 5)).toEqual(['vm', 'state', 'plans', 'category', 'newest_point'])
  expect(lines.map(([vm, state, plans]) => [vm, state, plans])).toEqual([
    ['crm-db-02', 'failed', 'nightly-lyon'],
    ['jump-02', 'unprotected', ''],
    ['files-paris-01', 'overdue', 'nightly-paris'],
    ['mail-01', 'late', 'critical-4h'],
  ])
  expect(faults).toEqual({ console: [], foreign: [] })
  await close()
})
