import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { aPoint } from '../../catalog/testing.ts'
import { bench } from '../../api/testing/bench.ts'
import { findPromtool } from './promtool.ts'
import { cacheFolder } from '../../appliance/index.ts'

const run = promisify(execFile)
const here = fileURLToPath(new URL('./', import.meta.url))
const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string }[]
}
const { panels } = JSON.parse(text('../grafana/holdfast.json')) as { readonly panels: readonly Panel[] }
const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

let promtool: string
let folder: string
beforeAll(async () => {
  promtool = await findPromtool(cacheFolder())
  folder = mkdtempSync(join(tmpdir(), 'hf-prometheus-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What promtool says; a test fails with its words. */
async function ask(args: readonly string[], cwd = here): Promise<string> {
  const { stdout, stderr } = await run(promtool, [...args], { cwd, timeout: 500_000 })
  return stdout + stderr
}

describe('Prometheus itself finds', () => {
  test('the rules well formed, and each fires when it should and not before', async () => {
    expect(await ask(['check', 'rules', 'holdfast.rules.yml'])).toMatch(/SUCCESS: \d+ rules found/)
    expect(await ask(['test', 'rules', 'holdfast.rules-test.yml'])).toContain('SUCCESS')
    const rules = [...text('holdfast.rules.yml').matchAll(/- alert: (\w+)/g)].map(([, name]) => name ?? '')
    const fired = text('holdfast.rules-test.yml').match(/alertname: (\w+)\n\s+exp_alerts:/g) ?? []
    for (const name of rules) expect(fired.join('\n'), `${name} is seen to fire`).toContain(`alertname: ${name}\n`)
  })

  test('the scrape configuration well formed', async () => {
    const config = text('scrape.yml').replace('holdfast.rules.yml', join(here, 'holdfast.rules.yml'))
    writeFileSync(join(folder, 'token'), 'x')
    writeFileSync(join(folder, 'prometheus.yml'), config.replace('/etc/prometheus/holdfast-token', 'token'))
    expect(await ask(['check', 'config', 'prometheus.yml'], folder)).toContain('SUCCESS')
  })

  test('every question of the Grafana board well formed', async () => {
    expect(expressions.length).toBeGreaterThan(15)
    const rules = expressions.map((expr, n) => ({ record: `board:n${n}`, expr }))
    writeFileSync(join(folder, 'board.yml'), stringify({ groups: [{ name: 'board', rules }] }))
    expect(await ask(['check', 'rules', 'board.yml'], folder)).toContain(`SUCCESS: ${expressions.length} rules found`)
  })

  test('nothing to say against what the server gives', async () => {
    using it = bench({ vms: ['web-01'] })
    it.catalog.points.record(aPoint(1))
    const given = await (await it.call('GET', '/metrics')).text()
    const checked = new Promise<string>((resolve, reject) => {
      const child = execFile(promtool, ['check', 'metrics'], (error, out, err) =>
        error ? reject(new Error(out + err, { cause: error })) : resolve(out + err),
      )
      child.stdin?.end(given)
    })
    expect(await checked).toBe('')
  })
})

test('rules and board ask for nothing that the server does not give', async () => {
  using it = bench({ vms: ['web-01'] })
  const given = await (await it.call('GET', '/metrics')).text()
  const known = new Set([...given.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? ''))
  const asked = [...expressions, text('holdfast.rules.yml')].flatMap((one) => one.match(/holdfast_\w+/g) ?? [])
  expect(asked.length).toBeGreaterThan(30)
  for (const name of asked) expect([...known], name).toContain(name.replace(/_(bucket|sum|count)$/, ''))
})

test('no two panels of the board are in the same place or have the same id', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, n) => `${x + (n % w)}/${y + Math.floor(n / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
})
