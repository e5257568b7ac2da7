import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { AxeBuilder } from '@axe-core/playwright'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { serveDashboard } from '../../../api/static.ts'
import { answer, fileText, moment, type Scene } from '../../../web/src/lib/fixtures/index.ts'

const root = new URL('../../../', import.meta.url)
const build = fileURLToPath(new URL('web/build', root))
export const pictures = fileURLToPath(new URL('tests/.artifacts/screens/', root))

export interface Look {
  readonly theme: 'light' | 'dark'
  readonly width: 1440 | 390
}

export interface Shot {
  readonly path: string
  readonly scene?: Scene
  /** Status that the API answers with instead of the data. */
  readonly broken?: number
  /** Requests of the API are never answered. */
  readonly silent?: boolean
  /** The event stream does not come. */
  readonly stale?: boolean
  /** The present of the page; else the moment of the fixtures. */
  readonly atMs?: number
  /** What a reader does before the picture. */
  readonly before?: (page: Page) => Promise<void>
}

/** What a page did that it must not: errors on its console, requests to other origins, scrolling sideways. */
export interface Faults {
  readonly console: string[]
  readonly foreign: string[]
}

const heights = { 1440: { width: 1440, height: 1000 }, 390: { width: 390, height: 844 } } as const

export const chromiumPath = process.env['HOLDFAST_CHROMIUM'] ?? '/usr/bin/chromium'
export const browserFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Stands for the screen of a booted guest. */
const console_ = `<body style="margin:0;background:#000;color:#bbb;font:15px/20px monospace;padding:12px;white-space:pre">[    0.000000] Linux version 6.1.0-31-amd64
[    1.204113] EXT4-fs (vda1): mounted filesystem with ordered data mode
[    1.391520] XFS (vdb1): Ending clean mount
[    2.018833] systemd[1]: Reached target Multi-User System.

Debian GNU/Linux 12 erp-db-01 ttyS0

erp-db-01 login: </body>`

/** The built dashboard behind its real policy headers, in a real browser, with the fixtures as its API. */
export class Stage implements AsyncDisposable {
  readonly #browser: Browser
  readonly #server: ReturnType<typeof serve>
  readonly #console: Buffer
  readonly origin: string

  private constructor(browser: Browser, server: ReturnType<typeof serve>, origin: string, console: Buffer) {
    this.#browser = browser
    this.#server = server
    this.origin = origin
    this.#console = console
  }

  static async open(): Promise<Stage> {
    if (!existsSync(build)) throw new Error('There is no built dashboard: run npm run setup first.')
    await mkdir(pictures, { recursive: true })
    const app = new Hono()
    // Open for as long as the page is, as the real stream is; a page that leaves is noticed by the abort.
    app.get('/api/v1/events', (context) =>
      streamSSE(context, async (stream) => {
        await stream.writeSSE({
          event: 'ping',
          id: '1',
          data: JSON.stringify({ type: 'ping', id: null, ms: moment, data: null }),
        })
        await new Promise<void>((resolve) => stream.onAbort(() => resolve()))
      }),
    )
    app.use('*', serveDashboard(build))
    const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
      const made = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(made))
    })
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    const browser = await chromium.launch({
      executablePath: chromiumPath,
      headless: true,
      args: browserFlags,
    })
    const page = await browser.newPage({ viewport: { width: 720, height: 400 } })
    await page.setContent(console_)
    const picture = await page.screenshot()
    await page.close()
    return new Stage(browser, server, `http://127.0.0.1:${address.port}`, picture)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** A page in a context of its own, ready to be looked at. */
  async show(shot: Shot): Promise<{ readonly page: Page; readonly faults: Faults; close: () => Promise<void> }> {
    const context = await this.#browser.newContext({
      viewport: heights[1440],
      timezoneId: 'Europe/Paris',
      locale: 'en-GB',
      reducedMotion: 'reduce',
    })
    const faults: Faults = { console: [], foreign: [] }
    await this.#answer(context, shot, faults)
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    page.on('console', (message) => {
      // The browser itself notes every answer that is not 2xx; those are part of the scene.
      if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
        faults.console.push(message.text())
    })
    page.on('pageerror', (error) => faults.console.push(error.stack ?? error.message))
    await page.clock.setFixedTime(shot.atMs ?? moment)
    await page.goto(this.origin + shot.path)
    await page
      .locator(shot.silent ? '[aria-busy="true"]' : 'h1')
      .first()
      .waitFor()
    if (!shot.silent) {
      for (const skeleton of await page.locator('.skeleton').all()) await skeleton.waitFor({ state: 'detached' })
    }
    await shot.before?.(page)
    await page.evaluate('document.fonts.ready')
    return { page, faults, close: () => context.close() }
  }

  async #answer(context: BrowserContext, shot: Shot, faults: Faults): Promise<void> {
    await context.route('**/*', async (route) => {
      const url = new URL(route.request().url())
      if (url.origin !== this.origin) {
        faults.foreign.push(url.href)
        return route.abort()
      }
      if (!url.pathname.startsWith('/api/v1/')) return route.continue()
      const path = url.pathname.slice('/api/v1'.length)
      if (path === '/events') return shot.stale ? route.abort() : route.continue()
      if (shot.silent) return
      if (path.endsWith('/screenshot'))
        return route.fulfill({ status: 200, contentType: 'image/png', body: this.#console })
      if (path.endsWith('/content')) return route.fulfill({ status: 200, body: fileText })
      if (shot.broken !== undefined && path !== '/session') {
        return route.fulfill({
          status: shot.broken,
          json: {
            type: 'urn:holdfast:error:TemporalUnavailable',
            title: 'x',
            status: shot.broken,
            detail: 'Temporal at 127.0.0.1:7233 refuses connections since 07:28.',
            instance: '',
            code: 'TemporalUnavailable',
            hint: 'Backups that were running go on; new ones wait.',
            docs: '',
            causes: [],
          },
        })
      }
      const reply = answer(route.request().method(), path, url.searchParams, shot.scene)
      return route.fulfill({ status: reply.status, json: reply.body })
    })
  }
}

/** The same page in another look: nothing is loaded again, so what a reader has opened stays open. */
export async function wear(page: Page, look: Look): Promise<void> {
  await page.setViewportSize(heights[look.width])
  await page.emulateMedia({ colorScheme: look.theme, reducedMotion: 'reduce' })
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
}

export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Our pages have one frame, and only what fails is asked for: four times as fast.
  const { violations } = await new AxeBuilder({ page })
    .setLegacyMode(true)
    .options({ resultTypes: ['violations'] })
    .analyze()
  return violations.flatMap((violation) =>
    violation.nodes.map(
      (node) =>
        `${violation.id}: ${node.target.join(' ')} — ${node.failureSummary?.split('\n')[1]?.trim() ?? violation.help}`,
    ),
  )
}

/** How far the page itself can be scrolled sideways, in pixels. */
export function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}
