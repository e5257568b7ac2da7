/**
 * An operator's hour in a real browser, against a whole Holdfast and a real guest: sign in, back up, see the mover
 * killed and the run resume and finish, restore from the wizard, compare what came back byte by byte, and look at what the
 * pages say on the way.
 */
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GiB } from '../../base/index.ts'
import { readFileSync } from 'node:fs'
import { ask } from '../../cli/client/index.ts'
import { sessionObjects, waitForCompletion, waitForJournals } from '../../cli/demo/index.ts'
import type { Oracle } from '../../lab/index.ts'
import { expectCopy } from '../support/identical.ts'
import { accessibilityFaults, browserFlags, chromiumPath } from './web/stage.ts'
import { makeWorld, type World } from '../support/world.ts'

const pictures = fileURLToPath(new URL('../.artifacts/journey/', import.meta.url))
let world: World
let oracle: Oracle
let browser: Browser
let page: Page

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true })
  // Much in it: long enough for somebody to watch, and to kill something after the third journal.
  const used = 1 * GiB
  world = await makeWorld({ vm: { qcow2: 4 * GiB, free: used, raw: null } })
  await world.guest.fill(used)
  oracle = await world.startOracle()
  browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: browserFlags })
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, reducedMotion: 'reduce' })
  page = await context.newPage()
  page.setDefaultTimeout(30_000)
})
afterAll(async () => {
  await browser?.close()
  await oracle?.[Symbol.asyncDispose]()
  await world?.end()
})

async function look(name: string): Promise<void> {
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
  expect(await accessibilityFaults(page), name).toEqual([])
}

/** The engine says so first; then the page has to, without being loaded again. */
async function runIsDone(): Promise<void> {
  const runId = new URL(page.url()).pathname.split('/').at(-1) ?? ''
  await waitForCompletion(world.at.api, runId)
  await page.locator('.title').getByText('Done', { exact: true }).waitFor()
}

test('a backup is started from the browser, seen killed, resumed and finished, and restored from the wizard', async () => {
  await page.goto(world.at.url)
  await page.getByLabel('Token').fill(readFileSync(join(world.home, 'secrets', 'admin-token'), 'utf8').trim())
  await page.getByRole('button', { name: 'Sign in' }).click()

  await page.goto(`${world.at.url}/vms/${world.vm.id}`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await look('1-vm')
  const before = sessionObjects(world.repository.path)
  await page.getByRole('button', { name: 'Back up…' }).first().click()
  await page.getByRole('dialog').getByRole('button', { name: 'Back up', exact: true }).click()
  await page.getByRole('link', { name: 'Open run' }).click()
  await page.getByRole('heading', { name: /Backup of/ }).waitFor()
  await waitForJournals(world.repository.path, before, 3)
  world.at.kill('worker')
  await page.getByText('resumed once').waitFor({ timeout: 120_000 })
  await look('2-run-resumed')
  await runIsDone()
  await look('3-run-completed')

  await page.goto(`${world.at.url}/restore?vm=${world.vm.id}`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await look('4-restore-point')
  await page.getByRole('link', { name: 'Continue to scope' }).click()
  await page.getByRole('link', { name: 'Continue to destination' }).click()
  await page.getByLabel('Name of the new VM').fill('web-01-back')
  await page.getByLabel('Name of the new VM').press('Tab')
  await look('5-restore-destination')
  await page.getByRole('link', { name: 'Continue to checks' }).click()
  await page.getByText('Passed').first().waitFor({ timeout: 60_000 })
  await look('6-restore-checks')
  await page.getByRole('link', { name: 'Continue to summary' }).click()
  await page.getByRole('button', { name: /^Restore/ }).click()
  await page.getByRole('heading', { name: /Restore of/ }).waitFor()
  await runIsDone()
  await look('7-restore-completed')
  const { items } = await ask(
    world.at.api.GET('/vms/{id}/points', { params: { path: { id: world.vm.id }, query: {} } }),
  )
  expect(items).toHaveLength(1)
  await expectCopy(world, oracle, items[0]?.id ?? '', 'web-01-back')

  for (const [name, path] of [
    ['8-overview', '/'],
    ['9-runs', '/runs'],
    ['10-repositories', '/repositories'],
  ] as const) {
    await page.goto(world.at.url + path)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await look(name)
  }
})
