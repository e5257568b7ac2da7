import { fileURLToPath } from 'node:url'
import { serve } from '@hono/node-server'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ToRunbook } from '../../api/index.ts'
import { adminToken, bench, plainRunbook, type Bench } from '../../api/testing/bench.ts'
import { aPoint, pointIdOf, testNow } from '../../catalog/testing.ts'
import { browserFlags, chromiumPath } from './web/stage.ts'

/** The dashboard against the real API and catalog; only the engine is a fake. */
const build = fileURLToPath(new URL('../../web/build', import.meta.url))

/** One act of the real runbook: what ended badly can be started again. */
const toRunbook: ToRunbook = (history, pending, facts) => {
  const book = plainRunbook(history, pending, facts)
  const command = 'holdfast run retry restore/1'
  const again = {
    id: 'start-again',
    label: 'Start again',
    explanation: 'A new run.',
    command,
    who: 'operator',
  } as const
  return { ...book, actions: book.state === 'failed' ? [{ ...again, primary: true }] : [] }
}

let browser: Browser
let world: Bench
let origin: string
let server: ReturnType<typeof serve>
let page: Page
let errors: string[]

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: browserFlags })
})
afterAll(() => browser.close())

function listen(port: number): Promise<ReturnType<typeof serve>> {
  return new Promise((resolve) => {
    const made = serve({ fetch: world.app.fetch, port, hostname: '127.0.0.1' }, () => resolve(made))
  })
}

async function stop(): Promise<void> {
  if ('closeAllConnections' in server) server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

beforeEach(async () => {
  world = bench({ vms: ['web-01', 'db-01'], webDir: build, streamPace: { coalesceMs: 20, pingMs: 1000 }, toRunbook })
  server = await listen(0)
  const address = server.address()
  origin = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : ''
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    timezoneId: 'Europe/Paris',
    locale: 'en-GB',
  })
  page = await context.newPage()
  page.setDefaultTimeout(15_000)
  errors = []
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(error.stack ?? error.message))
})
afterEach(async () => {
  await page.context().close()
  await stop()
  world[Symbol.dispose]()
})

async function signIn(path = '/'): Promise<void> {
  await page.goto(origin + path)
  await page.getByLabel('Token').fill(adminToken)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('.rail').waitFor()
}

describe('signing in', () => {
  it('asks for the token, says what is wrong with it, and then leads to the page that was wanted', async () => {
    await page.goto(`${origin}/vms/web-01`)
    await page.getByLabel('Token').fill('not the token')
    await page.getByRole('button', { name: 'Sign in' }).click()
    expect(await page.getByRole('alert').textContent()).toContain('token')
    await page.getByLabel('Token').fill(adminToken)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { level: 1, name: 'web-01' }).waitFor()
    expect(new URL(page.url()).pathname).toBe('/vms/web-01')
    expect(await page.evaluate('document.cookie')).toBe('')
    expect(errors).toEqual([])
  })

  it('ends with signing out: the next page asks again', async () => {
    await signIn()
    await page.getByRole('button', { name: /^Sign out/ }).click()
    await page.getByLabel('Token').waitFor()
    await page.goto(`${origin}/runs`)
    await page.getByLabel('Token').waitFor()
  })
})

describe('a page that stays open', () => {
  it('shows what changes without being loaded again, and keeps the focus where it was', async () => {
    await signIn('/vms')
    await page.locator('.live:not(.stale)').waitFor()
    const row = page.getByRole('link', { name: 'web-01', exact: true })
    await row.focus()
    const before = page.getByRole('row', { name: /web-01/ })
    expect(await before.textContent()).toContain('never')
    world.catalog.points.record(aPoint(1))
    await page.getByRole('row', { name: /web-01 .*1 h/ }).waitFor()
    expect(await page.evaluate('document.activeElement?.textContent')).toBe('web-01')
  })

  it('tells what time alone has changed, within a minute and without any event', async () => {
    // Old enough that they leave their RPO of a day well within the life of a session.
    const old = { createdMs: testNow - 20 * 3_600_000, validatedMs: testNow - 20 * 3_600_000 }
    world.catalog.points.record(aPoint(1, old))
    world.catalog.points.record(aPoint(2, { ...old, vmId: 'db-01' }))
    await page.clock.install()
    await signIn()
    await page.getByRole('heading', { level: 1, name: 'All 2 VMs are inside their RPO.' }).waitFor()
    await page.locator('.live:not(.stale)').waitFor()
    const before = world.catalog.events.newest()
    world.clock.ms += 8 * 3_600_000
    const mark = page.locator('.rail .live')
    // In parts, with a ping after each: a minute without any would be a broken stream.
    for (let part = 0; part < 3; part += 1) {
      const shown = await mark.textContent()
      world.clock.ms += 1000
      await expect.poll(() => mark.textContent(), { timeout: 10_000 }).not.toBe(shown)
      await page.clock.runFor(21_000)
    }
    expect(await page.locator('.live.stale').count()).toBe(0)
    await page.getByRole('heading', { level: 1, name: '2 VMs need you.' }).waitFor()
    expect(world.catalog.events.newest()).toBe(before)
  })

  it('says that the engine is away, and that it is back', async () => {
    world.catalog.points.record(aPoint(1))
    world.catalog.points.record(aPoint(2, { vmId: 'db-01' }))
    const stop = new AbortController()
    const following = world.deps.live.run(stop.signal)
    try {
      await signIn()
      await page.getByRole('heading', { level: 1, name: 'All 2 VMs are inside their RPO.' }).waitFor()
      await page.locator('.live:not(.stale)').waitFor()
      world.engine.away = true
      world.clock.ms += 20_000
      await page.getByRole('heading', { level: 1, name: 'The engine does not answer.' }).waitFor()
      world.engine.away = false
      await page.getByRole('heading', { level: 1, name: 'All 2 VMs are inside their RPO.' }).waitFor()
    } finally {
      stop.abort()
      await following
    }
  })

  it('says so when the server goes away, reads on when it is back', async () => {
    await signIn('/vms')
    await page.locator('.live:not(.stale)').waitFor()
    const { port } = new URL(origin)
    await stop()
    await page
      .locator('.rail')
      .getByText(/Stale since/)
      .waitFor()
    await page.getByText(/The dashboard cannot reach its server|Live updates stopped/).waitFor()
    server = await listen(Number(port))
    world.catalog.points.record(aPoint(1))
    await page.locator('.live:not(.stale)').waitFor({ timeout: 30_000 })
    await page.getByRole('row', { name: /web-01 .*1 h/ }).waitFor()
  })
})

describe('acting', () => {
  it('starts one backup, says so, and leads to its run', async () => {
    await signIn('/vms/web-01')
    await page.getByRole('button', { name: 'Back up…' }).first().click()
    const dialog = page.getByRole('dialog')
    expect(await dialog.getByRole('group', { name: /^Command/ }).textContent()).toBe('holdfast backup web-01')
    await dialog.getByRole('button', { name: 'Back up', exact: true }).click()
    await page.getByRole('link', { name: 'Open run' }).click()
    await page.getByRole('button', { name: 'Print as evidence' }).waitFor()
    expect(world.engine.started.map((spec) => spec.workflowId)).toEqual(['backup/web-01'])
    expect(errors).toEqual([])
  })

  it('says why when the API refuses, and changes nothing', async () => {
    world.engine.put({ workflowId: 'backup/web-01', workflow: 'backupVm' })
    await signIn('/vms/web-01')
    await page.getByRole('button', { name: 'Back up…' }).first().click()
    await page.getByRole('dialog').getByRole('button', { name: 'Back up', exact: true }).click()
    expect(await page.getByRole('dialog').getByRole('alert').textContent()).toMatch(/web-01: .*under way/)
    expect(world.engine.started).toEqual([])
  })

  it('repeats a restore in place only with the name of the VM', async () => {
    world.catalog.points.record(aPoint(1))
    await world.call('POST', '/api/v1/restores', {
      pointId: pointIdOf(1),
      target: { kind: 'original', confirmName: 'web-01' },
    })
    const [first] = world.engine.runs
    if (!first) throw new Error('nothing was started')
    world.engine.end(first, 'failed')
    await world.deps.live.tick()
    await signIn(`/runs/${first.runId}`)
    await page.getByRole('button', { name: 'Start again…' }).first().click()
    const dialog = page.getByRole('dialog', { name: /^Start again/ })
    await dialog.getByRole('button', { name: 'Start again', exact: true }).click()
    const replace = dialog.getByRole('button', { name: 'Replace web-01' })
    await replace.waitFor()
    expect([await replace.isDisabled(), world.engine.started.length]).toEqual([true, 1])
    expect(await dialog.getByRole('group', { name: /^Command/ }).textContent()).toMatch(/ --confirm web-01$/)
    await dialog.getByLabel('Type web-01 to go on').fill('web-01')
    await replace.click()
    await dialog.waitFor({ state: 'detached' })
    await expect.poll(() => world.engine.started.length).toBe(2)
    expect(world.engine.started[1]?.input).toMatchObject({ target: { kind: 'original', confirmName: 'web-01' } })
    expect(errors).toEqual([])
  })

  it('goes by keyboard: places, rows, search, help', async () => {
    await signIn()
    await page.keyboard.press('g')
    await page.keyboard.press('v')
    await page.getByRole('heading', { level: 1, name: 'VMs' }).waitFor()
    await page.getByRole('row', { name: /web-01/ }).waitFor()
    await page.keyboard.press('j')
    const first = await page.evaluate('document.activeElement?.textContent')
    await page.keyboard.press('j')
    expect(await page.evaluate('document.activeElement?.textContent')).not.toBe(first)
    await page.keyboard.press('k')
    expect(await page.evaluate('document.activeElement?.textContent')).toBe(first)
    await page.keyboard.press('/')
    await page.getByRole('combobox').fill('db')
    await page.getByRole('option', { name: /db-01/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'db-01' }).waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    expect(errors).toEqual([])
  })
})
