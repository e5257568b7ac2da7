import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Context } from '@temporalio/activity'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sampleBackup, sampleEndpoint, sampleTarget } from '../activities/testing/samples.ts'
import { AtWork, Scripted, copied } from '../activities/testing/scripted.ts'
import { openCatalog } from '../catalog/index.ts'
import { WorkflowBench, eventually } from '../server/testing/workflows.ts'
import { backupWorkflow, backupWorkflowId } from './backup/contract.ts'
import { controlQueue } from './shared/queues.ts'

let bench: WorkflowBench
let folder: string
beforeAll(async () => {
  bench = await WorkflowBench.start()
  folder = mkdtempSync(join(tmpdir(), 'holdfast-capacity-'))
})
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const program = fileURLToPath(new URL('../server/testing/control-plane.ts', import.meta.url))

/** Workflows, catalog and governor in a process of their own, which can be killed. */
function controlPlane(path: string): ChildProcess {
  return spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, bench.address, path, bench.codePath, folder],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

it('a server that is killed while slots are held: nobody loses a slot, nobody gets one too many, everybody gets through', async () => {
  const path = join(folder, 'catalog.db')
  using catalog = openCatalog({ path })
  catalog.slots.setLimit(`host/${sampleEndpoint.id}`, 2)
  let mayEnd = false
  const copying = new AtWork()
  const steps = new Scripted({
    copyDisk: (input) =>
      copying.during(async () => {
        do {
          Context.current().heartbeat()
          await Context.current().sleep(100)
        } while (!mayEnd)
        return copied(input)
      }),
  })
  let server = controlPlane(path)
  try {
    await bench.atSite(steps.activities, async () => {
      const runs = await Promise.all(
        Array.from({ length: 5 }, (_, n) => {
          const vm = { ...sampleTarget, id: `vm-${n}` }
          const options = { workflowId: backupWorkflowId(vm.id), taskQueue: controlQueue }
          return bench.client.start(backupWorkflow, { ...options, args: [sampleBackup({ vm })] })
        }),
      )
      await eventually('all claims', () => catalog.slots.list().length === 5, 240_000)
      await eventually('the work of two', () => copying.now === 2, 240_000)
      expect(catalog.slots.list().filter(({ grantedMs }) => grantedMs !== null)).toHaveLength(2)
      const held = catalog.slots.list().map(({ runId, grantedMs }) => [runId, grantedMs])
      await killed(server)
      // What was held is held, with nobody there to say so.
      expect(catalog.slots.list().map(({ runId, grantedMs }) => [runId, grantedMs])).toEqual(held)
      server = controlPlane(path)
      mayEnd = true
      const results = await Promise.all(runs.map((handle) => handle.result() as Promise<{ outcome: string }>))
      // The catalog of this test knows no VM: that their points cannot be written down is residue, and not what it is about.
      expect(results.filter(({ outcome }) => outcome.startsWith('completed'))).toHaveLength(5)
    })
    expect(copying.most).toBe(2)
    expect(catalog.slots.list()).toEqual([])
  } finally {
    await killed(server)
  }
})
