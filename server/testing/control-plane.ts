/**
 * What of a server runs workflows, owns the catalog and governs capacity, for tests that kill it:
 * `node control-plane.ts <temporal address> <catalog> <workflow bundle> <folder>`.
 */
import { Client, Connection } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { createControlActivities } from '../../activities/index.ts'
import { slotKeeper, temporalOrchestrator } from '../../api/index.ts'
import { openCatalog } from '../../catalog/index.ts'
import { evidenceFolder } from '../evidence.ts'
import { controlQueue } from '../../workflows/shared/queues.ts'
import { testSeal } from '../../evidence/testing.ts'

const [address = '', path = '', codePath = '', folder = ''] = process.argv.slice(2)
Runtime.install({ logger: new DefaultLogger('ERROR') })
const quiet = (): void => undefined
const log = { info: quiet, warn: quiet, error: quiet }
using catalog = openCatalog({ path })
const orchestrator = temporalOrchestrator(new Client({ connection: await Connection.connect({ address }) }))
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue: controlQueue,
  workflowBundle: { codePath },
  activities: createControlActivities(catalog, folder, evidenceFolder(folder), testSeal),
})
const stop = new AbortController()
await Promise.all([worker.run(), slotKeeper({ catalog, orchestrator, log }).run(stop.signal)])
