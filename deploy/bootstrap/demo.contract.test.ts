import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { identify } from '../../drivers/transport/index.ts'

const front = new URL('./run.mjs', import.meta.url).pathname
let home: string
let summary: string
let demo: ChildProcess
let told: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hfd-'))
  summary = join(home, 'summary.json')
  // Of an earlier demo.
  writeFileSync(summary, '{"proven":true}')
})

afterEach(() => {
  demo.kill('SIGKILL')
  for (const { pid } of living()) process.kill(pid, 'SIGKILL')
  rmSync(home, { recursive: true, force: true })
})

function start(): void {
  const env = { ...process.env, HOLDFAST_DEMO_HOME: join(home, 'd') }
  demo = spawn(process.execPath, [front, 'demo', '--exit', '--json', summary], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  told = ''
  for (const stream of [demo.stdout, demo.stderr]) stream?.on('data', (chunk: Buffer) => (told += chunk.toString()))
}

/** All that was started for this demo, by the environment that they inherited. */
function living(): { readonly pid: number; readonly command: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const mine =
        /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'utf8').includes(`HOME=${join(home, 'd')}`)
      return mine
        ? [{ pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ') }]
        : []
    } catch {
      // It ended meanwhile.
      return []
    }
  })
}

/** Until a process of the demo with `part` in its command runs. */
async function until(part: string): Promise<void> {
  while (!living().some(({ command }) => command.includes(part))) {
    if (demo.exitCode !== null) throw new Error(`the demo ended early:\n${told}`)
    await sleep(50)
  }
}

async function ended(): Promise<number | null> {
  if (demo.exitCode === null && demo.signalCode === null) await once(demo, 'exit')
  return demo.exitCode
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s to the front process during set-up ends all of it', async (signal) => {
  start()
  await until('main.ts up')
  demo.kill(signal)
  expect(await ended()).toBe(130)
  await expect.poll(living, { timeout: 60_000 }).toEqual([])
  expect(JSON.parse(readFileSync(summary, 'utf8'))).toMatchObject({ proven: false, error: { code: 'Cancelled' } })
})

test('a front process that is killed takes Temporal, server, mover and guest with it', async () => {
  start()
  await until('qemu-system')
  await until('main.ts server')
  demo.kill('SIGKILL')
  await expect.poll(living, { timeout: 100_000 }).toEqual([])
  expect(existsSync(summary) ? JSON.parse(readFileSync(summary, 'utf8')) : { proven: false }).toMatchObject({
    proven: false,
  })
})

test('a home in which somebody lives is left alone, and the demo says why it ends', async () => {
  mkdirSync(join(home, 'd', 'run'), { recursive: true })
  writeFileSync(join(home, 'd', 'run', 'up.lock'), JSON.stringify(await identify(process.pid)))
  writeFileSync(join(home, 'd', 'precious'), '')
  start()
  expect(await ended()).toBe(1)
  expect(told).toContain(`process ${process.pid}`)
  expect(existsSync(join(home, 'd', 'precious'))).toBe(true)
  expect(JSON.parse(readFileSync(summary, 'utf8'))).toMatchObject({
    proven: false,
    error: { code: 'AlreadyRunning' },
    resume: { bytesReadAgain: null },
    restore: { identical: null },
  })
})
