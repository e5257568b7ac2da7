import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { toQuestions, type DrillCheckSpec } from './drill-checks.ts'

/** Here as in a guest: it is this machine's own shell that is asked. */

let server: Server
let port: number
let bin: string
beforeEach(async () => {
  bin = mkdtempSync(join(tmpdir(), 'hf-bin-'))
  server = createServer((request, response) => {
    response.statusCode = request.url === '/health' ? 200 : request.url === '/moved' ? 302 : 503
    if (request.url === '/moved') response.setHeader('location', '/health')
    response.end('up 3 days\nstate: primary\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve))
  rmSync(bin, { recursive: true })
})

interface Answer {
  readonly exit: number | null
  readonly out: string
  readonly err: string
}
function answer(spec: DrillCheckSpec, env: NodeJS.ProcessEnv = process.env): Promise<Answer> {
  const [question] = toQuestions([spec], new Map())
  const child = spawn(question?.path ?? '', question?.args ?? [], { env })
  const said = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()))
  return new Promise((resolve) => child.once('close', (exit) => resolve({ exit, ...said })))
}
const times = { timeoutMs: 1_000, withinMs: 0 }
const page = (path: string): DrillCheckSpec => ({
  ...{ kind: 'http', title: 'page', url: `http://127.0.0.1:${port}${path}`, pattern: null },
  ...times,
})

test('a port is asked of the kernel: who listens is found, who does not is named', async () => {
  const spec = { kind: 'port', title: 'p', port, ...times } as const
  expect(await answer(spec)).toMatchObject({ exit: 0 })
  await new Promise((resolve) => server.close(resolve))
  expect(await answer(spec)).toEqual({ exit: 1, out: '', err: `nobody listens on port ${port}\n` })
})

test.each(['curl', 'wget'])('a page is fetched by %s, where the guest has it', async (program) => {
  const path = `/usr/bin/${program}`
  if (!existsSync(path)) return
  symlinkSync(path, join(bin, program))
  const env = { PATH: bin }
  expect(await answer(page('/health'), env)).toMatchObject({ exit: 0, out: 'up 3 days\nstate: primary\n' })
  for (const other of ['/else', '/moved']) expect((await answer(page(other), env)).exit).toBeGreaterThan(0)
})

test('a guest that has no program to fetch a page says so', async () => {
  expect(await answer(page('/health'), { PATH: bin })).toEqual({
    ...{ exit: 127, out: '', err: 'the guest has neither curl nor wget\n' },
  })
})

test('what prepares comes first, and all else stays in its order', () => {
  const command = (title: string, prepares: boolean): DrillCheckSpec => ({
    ...{ kind: 'command', title, path: '/x', args: [], expectExit: 0, pattern: null, prepares, ...times },
    count: { expected: 'previous', tolerance: 0 },
  })
  const specs = [command('a', false), command('b', true), command('c', false), command('d', true)]
  const questions = toQuestions(specs, new Map([['a', 7]]))
  expect(questions.map(({ title, count }) => [title, count?.expected])).toEqual([
    ['b', null],
    ['d', null],
    ['a', 7],
    ['c', null],
  ])
})
