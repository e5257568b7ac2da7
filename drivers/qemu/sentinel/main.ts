import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { isHoldfastError } from '../../../base/index.ts'
import { AgentClient, QmpClient } from '../../qmp/index.ts'
import type { SentinelTask, SentinelWord } from './protocol.ts'

/**
 * A process of its own that outlives the worker: if the worker dies while the guest is stopped for the switch, the
 * guest is resumed within milliseconds, and thawed if it was frozen. Its parent is known dead when the pipe closes.
 */
const task = JSON.parse(process.argv[2] ?? '') as SentinelTask
const PATIENCE = 120_000

let stopped = false
let frozen = false
let watching = false
let timer: NodeJS.Timeout | undefined

holdOn()
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const word = line as SentinelWord
  if (word === 'stopping') stopped = true
  else if (word === 'freezing') frozen = true
  else if (word === 'released') stopped = frozen = false
  // The parent lets go, whether or not it has said that the guest is released: a guest that it could not is in our hands.
  else if (word === 'done') void release().finally(() => process.exit(0))
  else if (word === 'watch' && !watching) {
    watching = true
    void watch().finally(() => process.exit(0))
  }
  clearTimeout(timer)
  if (stopped || frozen) timer = setTimeout(() => void release(), task.limit)
})
lines.on('close', () => {
  if (!watching) void release().finally(() => process.exit(0))
})
process.stdout.write('ready\n')

/**
 * Who ends the worker often ends all of its processes with it (a service manager, a terminal), and who is short of memory
 * may choose this one. What can be shut out is: only SIGKILL ends a sentinel that holds a guest.
 */
function holdOn(): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    // Before it watches it ends with its parent's pipe anyway; afterwards the next worker posts another (post.ts).
    process.on(signal, () => {
      if (watching) process.exit(0)
    })
  try {
    writeFileSync('/proc/self/oom_score_adj', '-1000')
  } catch (error) {
    // Needs a privilege that the worker need not have, and a /proc that may be written.
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

/** Resumes and thaws what was announced; tries again until it has worked or QEMU is gone. */
async function release(): Promise<void> {
  if (stopped && (await insist(resume))) stopped = false
  if (frozen && (await insist(thaw))) frozen = false
}

async function resume(): Promise<void> {
  await withMonitor(async (client) => {
    const { status } = await client.execute<{ status: string }>('query-status')
    if (status === 'paused') await client.execute('cont')
  })
}

async function thaw(): Promise<void> {
  await using agent = await AgentClient.connect(task.agent, { limit: 2_000 })
  if ((await agent.freezeStatus()) === 'frozen') await agent.thaw()
}

/** Loaded when it is needed: until the guest runs again every millisecond of this process's start counts. */
async function watch(): Promise<void> {
  const { watchRound } = await import('./watch.ts')
  await watchRound(task, withMonitor)
}

async function withMonitor(work: (client: QmpClient) => Promise<unknown>): Promise<void> {
  let failure: unknown
  for (const path of task.monitors) {
    try {
      await using client = await QmpClient.connect(path, { limit: 1_000 })
      await work(client)
      return
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** True when `act` has worked or there is no VM any more on which it could. */
async function insist(act: () => Promise<unknown>, patience = PATIENCE): Promise<boolean> {
  const until = Date.now() + patience
  for (;;) {
    try {
      await act()
      return true
    } catch (error) {
      if (isHoldfastError(error) && error.data?.['gone'] === true) return true
      if (Date.now() >= until) return false
    }
    await sleep(50)
  }
}
