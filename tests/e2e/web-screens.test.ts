import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityFaults, pictures as folder, sidewaysScroll, Stage, type Look } from './web/stage.ts'
import { pictures } from './web/shots.ts'

const looks: readonly Look[] = [
  { theme: 'light', width: 1440 },
  { theme: 'dark', width: 1440 },
  { theme: 'light', width: 390 },
  { theme: 'dark', width: 390 },
]

let stage: Stage
beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(async () => {
  await stage[Symbol.asyncDispose]()
})

describe.each(pictures)('$name', (picture) => {
  it.each(looks)('$theme at $width px is accessible, quiet, offline and does not scroll sideways', async (look) => {
    const { page, faults, close } = await stage.show({ ...picture, ...look })
    await page.screenshot({ path: `${folder}${picture.name}-${look.theme}-${look.width}.png`, fullPage: true })
    expect(await accessibilityFaults(page)).toEqual([])
    expect(await sidewaysScroll(page)).toBe(0)
    expect(faults).toEqual({ console: [], foreign: [] })
    await close()
  })
})
