import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isExhaustive } from '../support/sampling.ts'
import { pictures } from './web/shots.ts'
import { accessibilityFaults, pictures as folder, sidewaysScroll, Stage, wear, type Look } from './web/stage.ts'

/**
 * Each picture is taken wide and narrow, light and dark. axe takes most of the time: a run of `npm test` takes one look of
 * each width and has axe judge a third of the pictures in one of them, so that its twelve turns judge all pictures in all
 * looks. By itself the suite takes all looks and judges one of each width; with HOLDFAST_EXHAUSTIVE=1 all.
 */
const looks: readonly Look[] = [
  { theme: 'light', width: 1440 },
  { theme: 'dark', width: 390 },
  { theme: 'dark', width: 1440 },
  { theme: 'light', width: 390 },
]
const turn = process.env['HOLDFAST_TURN']

/** What is taken of a picture, and whether axe judges it. */
function looksOf(picture: number): readonly (Look & { readonly judged: boolean })[] {
  if (isExhaustive) return looks.map((look) => ({ ...look, judged: true }))
  if (turn === undefined) return looks.map((look, at) => ({ ...look, judged: at < 2 }))
  const round = (picture + Number(turn)) % 12
  const pair = round % 2 === 0 ? looks.slice(0, 2) : looks.slice(2)
  return pair.map((look, at) => ({ ...look, judged: round < 4 && at === round >> 1 }))
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
    for (const { judged, ...look } of looksOf(picture.index)) {
      await wear(page, look)
      const name = `${picture.name}-${look.theme}-${look.width}`
      await page.screenshot({ path: `${folder}${name}.png`, fullPage: true })
      if (judged) expect(await accessibilityFaults(page), name).toEqual([])
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
