import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { FakePeer } from '../../qmp/testing/fake-peer.ts'
import type { SentinelTask, SentinelWord } from './protocol.ts'

/** A monitor of a guest that is paused until somebody says `cont`. */
async function pausedMonitor(): Promise<FakePeer> {
  let status = 'paused'
  return await FakePeer.listen(
    (socket) =>
      socket.write('{"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}}, "capabilities": []}}\n'),
    (line, socket) => {
      const { execute, id } = JSON.parse(line) as { execute: string; id: number }
      if (execute === 'cont') status = 'running'
      socket.write(`${JSON.stringify({ return: execute === 'query-status' ? { status } : {}, id })}\n`)
    },
  )
}

type Child = ChildProcessByStdio<Writable, Readable, null>

async function sentinel(monitor: FakePeer): Promise<Child> {
  const task: SentinelTask = {
    opKey: 'hf-aaaaaa-aaaaaaaaaaaaa',
    endpoint: {} as SentinelTask['endpoint'],
    dir: '/nonexistent',
    monitors: [monitor.path],
    agent: '/nonexistent/agent',
    limit: 60_000,
    record: '/nonexistent/record',
  }
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts'), JSON.stringify(task)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  await once(child.stdout, 'data')
  return child
}

async function tell(child: Child, ...words: readonly SentinelWord[]): Promise<void> {
  for (const word of words) await new Promise((resolve) => child.stdin.write(`${word}\n`, resolve))
}
const said = (monitor: FakePeer): string[] =>
  monitor.received.map((line) => (JSON.parse(line) as { execute: string }).execute)

test('told that it is done while it still holds a stopped guest, the sentinel lets it run before it ends', async () => {
  await using monitor = await pausedMonitor()
  const child = await sentinel(monitor)
  const ended = once(child, 'exit')
  await tell(child, 'stopping', 'done')
  await ended
  expect(said(monitor)).toContain('cont')
})

test('told that the guest was released, it ends without touching it', async () => {
  await using monitor = await pausedMonitor()
  const child = await sentinel(monitor)
  const ended = once(child, 'exit')
  await tell(child, 'stopping', 'released', 'done')
  await ended
  expect(said(monitor)).toEqual([])
})

test('asked to end while it holds a guest, it stays until its parent has gone, and lets the guest run', async () => {
  await using monitor = await pausedMonitor()
  const child = await sentinel(monitor)
  const ended = once(child, 'exit')
  await tell(child, 'stopping')
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) child.kill(signal)
  child.stdin.end()
  expect(await ended).toEqual([0, null])
  expect(said(monitor)).toContain('cont')
})
