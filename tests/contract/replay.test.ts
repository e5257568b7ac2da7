import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { workflowBundle } from '../../server/bundle.ts'
import { cacheFolder } from '../../appliance/index.ts'

const folder = fileURLToPath(new URL('../histories', import.meta.url))
const names = readdirSync(folder).filter((name) => name.endsWith('.json'))

let codePath: string
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  const quiet = (): void => undefined
  codePath = (await workflowBundle(cacheFolder(), { info: quiet, warn: quiet, error: quiet })).codePath
})

interface Recorded {
  readonly history: { readonly events: { eventType: string; [name: string]: unknown }[] }
}
const load = (name: string): Recorded => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Recorded
const replay = (history: unknown, id: string): Promise<void> =>
  Worker.runReplayHistory({ workflowBundle: { codePath } }, historyFromJSON(history), id)

describe('the corpus', () => {
  it.each(names)('%s replays: a run that started before an upgrade goes on after it', async (name) => {
    await replay(load(name).history, name)
  })

  it('would notice a step that has changed', async () => {
    const { history } = load('backup-completed.json')
    const scheduled = history.events.filter(({ eventType }) => eventType === 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED')
    const attributes = scheduled[3]?.['activityTaskScheduledEventAttributes'] as { activityType: { name: string } }
    attributes.activityType.name = 'somethingElse'
    await expect(replay(history, 'changed')).rejects.toThrow(/[Nn]ondeterminism|Determinism/)
  })
})

it('histories go to JSON and back: protobufjs is one copy', () => {
  expect(JSON.parse(historyToJSON({ events: [] }))).toEqual({})
  const { history } = load('backup-completed.json')
  const again = JSON.parse(historyToJSON(historyFromJSON(history))) as { events: unknown[] }
  expect(again.events).toHaveLength(history.events.length)
})
