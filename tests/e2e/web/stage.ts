import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium, type Browser, type Page } from 'playwright-core'
import { moment } from '../../../web/src/lib/fixtures/index.ts'
import { FixtureServer, type Shown } from './fixture-server.ts'

const root = new URL('../../../', import.meta.url)
const build = fileURLToPath(new URL('web/build', root))
export const pictures = fileURLToPath(new URL('tests/.artifacts/screens/', root))

export interface Look {
  readonly theme: 'light' | 'dark'
  readonly width: 1440 | 390
}

export interface Shot extends Shown {
  readonly path: string
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
  readonly #server: FixtureServer
  /** Those that nobody looks at. One that was used knows the scripts already, which takes most of a new page's time. */
  readonly #free: Page[] = []

  private constructor(browser: Browser, server: FixtureServer) {
    this.#browser = browser
    this.#server = server
  }

  static async open(): Promise<Stage> {
    if (!existsSync(build)) throw new Error('There is no built dashboard: run npm run setup first.')
    await mkdir(pictures, { recursive: true })
    const browser = await chromium.launch({
      executablePath: chromiumPath,
      headless: true,
      args: browserFlags,
    })
    const page = await browser.newPage({ viewport: { width: 720, height: 400 } })
    await page.setContent(console_)
    const picture = await page.screenshot()
    await page.close()
    return new Stage(browser, await FixtureServer.open(build, picture))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
    await this.#server[Symbol.asyncDispose]()
  }

  /** A page with a context of its own, ready to be looked at; `close` makes it forget what was shown. */
  async show(shot: Shot): Promise<{ readonly page: Page; readonly faults: Faults; close: () => Promise<void> }> {
    const page = this.#free.pop() ?? (await this.#page())
    const faults = noteFaults(page, this.#server.origin)
    await page.setViewportSize(heights[1440])
    // By a header and not by intercepting requests, which would make the browser read every script anew.
    await page.setExtraHTTPHeaders(this.#server.show(shot))
    await page.clock.setFixedTime(shot.atMs ?? moment)
    await page.goto(this.#server.origin + shot.path)
    await page
      .locator(shot.silent ? '[aria-busy="true"]' : 'h1')
      .first()
      .waitFor()
    if (!shot.silent) {
      for (const skeleton of await page.locator('.skeleton').all()) await skeleton.waitFor({ state: 'detached' })
    }
    await shot.before?.(page)
    await page.evaluate('document.fonts.ready')
    const close = async (): Promise<void> => {
      page.removeAllListeners()
      await page.evaluate('localStorage.clear()')
      await page.context().clearCookies()
      this.#free.push(page)
    }
    return { page, faults, close }
  }

  async #page(): Promise<Page> {
    const context = await this.#browser.newContext({
      timezoneId: 'Europe/Paris',
      locale: 'en-GB',
      reducedMotion: 'reduce',
    })
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    return page
  }
}

function noteFaults(page: Page, origin: string): Faults {
  const faults: Faults = { console: [], foreign: [] }
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (/^https?:$/.test(url.protocol) && url.origin !== origin) faults.foreign.push(url.href)
  })
  page.on('console', (message) => {
    // The browser itself notes every answer that is not 2xx; those are part of the scene.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
      faults.console.push(message.text())
  })
  page.on('pageerror', (error) => faults.console.push(error.stack ?? error.message))
  return faults
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
