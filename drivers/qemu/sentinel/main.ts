import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { isHoldfastError } from '../../../base/index.ts'
import { AgentClient, QmpClient, callerOf } from '../../qmp/index.ts'
import { rescue } from '../round/rescue.ts'
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

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const word = line as SentinelWord
  if (word === 'stopping') stopped = true
  else if (word === 'freezing') frozen = true
  else if (word === 'released') stopped = frozen = false
  else if (word === 'done') process.exit(0)
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

async function watch(): Promise<void> {
  const until = Date.now() + 7 * 24 * 3_600_000
  while (existsSync(task.record) && Date.now() < until) {
    await insist(() => withMonitor((client) => rescue(callerOf(client), (opKey) => opKey === task.opKey)), 5_000)
    await sleep(500)
  }
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
