import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { serve } from '@hono/node-server'
import { chromium, type Browser, type Download, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { adminToken, bench, type Bench } from '../../api/testing/bench.ts'
import { aPoint, pointIdOf } from '../../catalog/testing.ts'
import { DiskImages, disksOnly, withDisks } from '../../activities/files/images.ts'
import { SessionClient, SessionServer, sessionSocket } from '../../files/index.ts'
import { layouts } from '../../files/testing/maker.ts'
import { openImages, type OpenedImages } from '../../files/testing/open.ts'
import { runProgram } from '../../drivers/transport/index.ts'
import { browserFlags, chromiumPath } from './web/stage.ts'

/** The page of files against a real micro-VM that has opened a real disk; only the engine is a fake. */
let dir: string
let opened: OpenedImages
let world: Bench
let server: ReturnType<typeof serve>
let browser: Browser
let page: Page
const errors: string[] = []

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hf-web-files-'))
  const { gpt } = await layouts()
  opened = await openImages([gpt])
  const webDir = fileURLToPath(new URL('../../web/build', import.meta.url))
  world = bench({ webDir, files: new SessionClient(dir) })
  world.catalog.points.record(aPoint(1))
  server = serve({ fetch: world.app.fetch, port: 0, hostname: '127.0.0.1' })
  browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: browserFlags })
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  page.setDefaultTimeout(20_000)
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(error.stack ?? error.message))
})
afterAll(async () => {
  await browser?.close()
  if (server && 'closeAllConnections' in server) server.closeAllConnections()
  await new Promise((resolve) => server?.close(resolve))
  world?.[Symbol.dispose]()
  await opened?.[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

const none = new DiskImages('', [])

async function downloaded(click: () => Promise<void>): Promise<Download> {
  const [download] = await Promise.all([page.waitForEvent('download'), click()])
  return download
}

it('opens a point, browses its volumes, looks into a file, searches, and takes what was wanted', async () => {
  const address = server.address()
  const origin = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : ''
  await page.goto(`${origin}/points/${pointIdOf(1)}`)
  await page.getByLabel('Token').fill(adminToken)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Browse files' }).click()
  // Nobody has it open yet; the page waits and goes on by itself.
  await page.getByRole('heading', { level: 1, name: 'Opening the files' }).waitFor()
  const session = world.engine.started[0]?.workflowId.slice('files/'.length) ?? ''
  await using _serving = await SessionServer.start(sessionSocket(dir, session), withDisks(opened.session, none), {
    now: Date.now,
  })
  await page.getByRole('heading', { level: 1, name: 'Files of web-01' }).waitFor()

  await page.getByRole('link', { name: 'd0p2', exact: true }).first().click()
  await page.getByRole('link', { name: 'etc', exact: true }).click()
  await page.getByRole('link', { name: 'hostname', exact: true }).click()
  const panel = page.getByRole('complementary', { name: 'File' })
  expect(await panel.getByRole('group', { name: 'Preview' }).textContent()).toBe('host of gpt-ext4\n')
  expect(await panel.textContent()).toContain('rw-r----- 1000:1001')
  const one = await downloaded(() => panel.getByRole('link', { name: /^Download/ }).click())
  expect([one.suggestedFilename(), await readFile(await one.path(), 'utf8')]).toEqual([
    'hostname',
    'host of gpt-ext4\n',
  ])

  await page.getByRole('navigation', { name: 'Folders' }).getByRole('link', { name: 'd0p2' }).click()
  await page.getByLabel('Search below this folder').fill('random.bin')
  await page.getByRole('search').getByRole('button').click()
  await page.getByLabel('Take random.bin').check()
  const tar = await downloaded(() => page.getByRole('link', { name: 'Download 1 entry as tar' }).click())
  const random = join(dir, 'random.tar')
  await tar.saveAs(random)
  await runProgram('tar', ['-xf', random, '-C', dir])
  const sum = createHash('sha256')
    .update(await readFile(join(dir, 'random.bin')))
    .digest('hex')
  const sums = await opened.session.content({ volume: 'd0p2', path: '/sums' }, 0, null)
  expect((await Array.fromAsync(sums.stream)).join('')).toContain(`${sum}  deep/er/est/random.bin`)

  // Whoever has left the page comes back by its run.
  await page.getByRole('link', { name: 'the run', exact: true }).click()
  await page.getByRole('link', { name: 'Browse files' }).click()
  await page.getByRole('heading', { level: 1, name: 'Files of web-01' }).waitFor()
  await page.getByRole('button', { name: 'Close', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor()
  expect(errors).toEqual([])
})

it('exports a disk in the format that was chosen', async () => {
  await page.goto(`${new URL(page.url()).origin}/points/${pointIdOf(1)}`)
  await page.getByRole('button', { name: 'Export disk' }).click()
  await page.waitForURL(/\/files\/[0-9a-f]{32}$/)
  const { workflowId = '', input } = world.engine.started.at(-1) ?? {}
  expect(input).toMatchObject({ view: 'disks' })
  const asked: string[] = []
  const served = {
    ...disksOnly(none),
    image: async (disk: string, format: string) => {
      asked.push(`${disk} ${format}`)
      return { size: 5, stream: Readable.from([Buffer.from('hello')]) }
    },
  }
  const path = sessionSocket(dir, workflowId.slice('files/'.length))
  await using _serving = await SessionServer.start(path, served, { now: Date.now })
  await page.getByRole('heading', { level: 1, name: 'Disks of web-01 as images' }).waitFor()
  await page.getByLabel('Format').selectOption('vhdx')
  const image = await downloaded(() => page.getByRole('link', { name: 'Download virtio1 as vhdx' }).click())
  expect([image.suggestedFilename(), await readFile(await image.path(), 'utf8')]).toEqual(['virtio1.vhdx', 'hello'])
  expect(asked).toEqual(['virtio1 vhdx'])
  expect(errors).toEqual([])
})
