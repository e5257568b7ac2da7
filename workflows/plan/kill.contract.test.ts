import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Context } from '@temporalio/activity'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sampleRequester, sampleSite } from '../../activities/testing/samples.ts'
import { Scripted, copied } from '../../activities/testing/scripted.ts'
import { openCatalog } from '../../catalog/index.ts'
import { aVm } from '../../catalog/testing.ts'
import { planDefaults } from '../../policy/index.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { controlQueue } from '../shared/queues.ts'
import { planWorkflow, planWorkflowId } from './contract.ts'
import type { PlanRunInput, PlanRunResult } from './contract.ts'

let bench: WorkflowBench
let folder: string
beforeAll(async () => {
  bench = await WorkflowBench.start()
  folder = mkdtempSync(join(tmpdir(), 'holdfast-plan-'))
})
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const program = fileURLToPath(new URL('../../server/testing/control-plane.ts', import.meta.url))

/** Workflows, catalog and the steps of the plan in a process of their own, which can be killed. */
function controlPlane(path: string): ChildProcess {
  const args = ['--disable-warning=ExperimentalWarning', program, bench.address, path, bench.codePath, folder]
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

it('a server that is killed three times in the middle of a run: every VM is backed up, and none twice', async () => {
  const path = join(folder, 'catalog.db')
  using catalog = openCatalog({ path })
  const lab = { name: 'lab', platform: 'qemu', address: '/srv/lab', site: sampleSite, credentialRef: '' } as const
  catalog.endpoints.add({ ...lab, options: { scope: 'scope-1' } })
  const names = ['vm-0', 'vm-1', 'vm-2', 'vm-3', 'vm-4', 'vm-5', 'vm-6', 'vm-7']
  const listed = names.map((name) => aVm(name))
  catalog.vms.recordDiscovered('lab', 'listing-1', listed)
  const location = { kind: 'posix', path: '/srv/repository' } as const
  catalog.repositories.add({ name: 'main', site: sampleSite, location, credentialRef: 'file:/srv/secrets/main' })
  const targets = [{ repository: 'main', copy: 'backup', keep: null }] as const
  catalog.plans.put({ ...planDefaults, name: 'nightly', targets, concurrency: 2 }, 0)

  const committed: string[] = []
  let mayCopy = 2
  const steps = new Scripted({
    copyDisk: async (of) => {
      while (committed.length + 2 > mayCopy) {
        Context.current().heartbeat()
        await Context.current().sleep(50)
      }
      return copied(of)
    },
    commitBackup: async (of) => {
      committed.push(of.vm.name)
      return new Scripted().activities.commitBackup(of)
    },
  })
  let server = controlPlane(path)
  try {
    await bench.atSite(steps.activities, async () => {
      const plan: PlanRunInput = {
        v: 1,
        plan: 'nightly',
        trigger: 'schedule',
        again: null,
        requestedBy: sampleRequester,
        part: 0,
      }
      const workflowId = planWorkflowId('nightly', Date.UTC(2026, 10, 21))
      const options = { workflowId, taskQueue: controlQueue, args: [plan] }
      const run = await bench.client.start(planWorkflow, options)
      for (const done of [1, 3, 5]) {
        mayCopy = done + 2
        await eventually(`${done} points`, () => committed.length >= done, 120_000)
        await killed(server)
        server = controlPlane(path)
      }
      mayCopy = names.length + 2
      const result = (await run.result()) as PlanRunResult
      expect(result.counts).toEqual({ completed: 8, failed: 0, cancelled: 0, skipped: 0 })
      const rows = catalog.planRuns.vms(workflowId, { limit: 20 }).items
      expect(rows.map(({ vmName, attempts }) => [vmName, attempts])).toEqual(names.map((name) => [name, 1]))
    })
    expect(committed.sort()).toEqual(names)
    expect(catalog.slots.list()).toEqual([])
  } finally {
    await killed(server)
  }
})
