import { afterAll, beforeAll, expect, it } from 'vitest'
import { isExhaustive } from '../support/sampling.ts'
import { pictures } from './web/shots.ts'
import { accessibilityFaults, pictures as folder, sidewaysScroll, Stage, wear, type Look } from './web/stage.ts'

/** axe takes most of the time: it judges each theme and each width once; HOLDFAST_EXHAUSTIVE=1 makes it judge all four. */
const looks: readonly (Look & { readonly judged: boolean })[] = [
  { theme: 'light', width: 1440, judged: true },
  { theme: 'dark', width: 1440, judged: isExhaustive },
  { theme: 'dark', width: 390, judged: true },
  { theme: 'light', width: 390, judged: isExhaustive },
]

let stage: Stage
beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]()
})

it.concurrent.each(pictures)(
  '$name is accessible, quiet and offline, and does not scroll sideways, wide and narrow, light and dark',
  async (picture) => {
    const { page, faults, close } = await stage.show(picture)
    for (const look of looks) {
      await wear(page, look)
      const name = `${picture.name}-${look.theme}-${look.width}`
      await page.screenshot({ path: `${folder}${name}.png`, fullPage: true })
      if (look.judged) expect(await accessibilityFaults(page), name).toEqual([])
      expect(await sidewaysScroll(page), name).toBe(0)
    }
    expect(faults).toEqual({ console: [], foreign: [] })
    await close()
  },
)
