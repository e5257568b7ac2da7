import { Command } from 'commander'
import { ask, type Schemas } from '../client/index.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { ago } from '../render/words.ts'
import { examples, type Verb } from './common.ts'

type Schedule = Schemas['PlanSchedule']

export const schedules: Verb = (ioOf) => {
  const command = new Command('schedules').description(
    'when plans start, what did not come, and whether Temporal has it as they say',
  )
  examples(command, ['holdfast schedules', 'holdfast schedules --json'])
  return command.action(async () => {
    const io = ioOf(command)
    const api = io.api()
    const items: Schedule[] = []
    let cursor: string | undefined
    let looked: Pick<Schemas['PlanSchedules'], 'lookedMs' | 'error' | 'unknown'>
    do {
      const query = { limit: 200, ...(cursor !== undefined && { cursor }) }
      const page = await ask(api.GET('/schedules', { params: { query } }))
      items.push(...page.items)
      looked = { lookedMs: page.lookedMs, error: page.error, unknown: page.unknown }
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    const now = io.world.now()
    const { lookedMs, error, unknown } = looked
    io.answer({ items, ...looked }, () =>
      [
        items.length === 0
          ? 'There is no plan yet.'
          : table(items, [
              { head: 'PLAN', cell: ({ plan }) => plan },
              { head: 'STARTS', cell: ({ words, paused }) => `${words}${paused ? ', paused' : ''}` },
              { head: 'NEXT', cell: ({ next: [next] }) => (next === undefined ? '–' : next.local) },
              { head: 'UTC', cell: ({ next: [next] }) => (next === undefined ? '–' : next.utc.slice(0, 16)) },
              {
                head: 'LAST',
                cell: ({ last }) => (last === null ? 'never' : `${last.state}, ${ago(last.startedMs, now)}`),
              },
              { head: 'DID NOT COME', cell: ({ missed }) => String(missed.length), right: true },
              { head: 'IN TEMPORAL', cell: (one) => plain(engineText(one, now)) },
            ]),
        ...(unknown.length === 0 ? [] : [`Temporal has schedules of plans that nobody knows: ${unknown.join(', ')}.`]),
        ...(error === null ? [] : [`Not compared now: ${plain(error)}`]),
        lookedMs === null ? 'Not compared with Temporal yet.' : `Compared with Temporal ${ago(lookedMs, now)}.`,
      ].join('\n'),
    )
  })
}

const states: { readonly [state in Schedule['engine']['state']]: string } = {
  'as-wanted': 'as it says',
  waiting: 'not compared since it was changed',
  wrong: 'not as it says',
  taken: 'its name is somebody else’s: it does not start',
  none: 'none: not by the clock',
  unknown: 'not known',
}

function engineText({ engine: { state, why, putRight } }: Schedule, nowMs: number): string {
  const found = putRight === null ? '' : `; had been ${putRight.what}, put right ${ago(putRight.atMs, nowMs)}`
  return `${states[state]}${why === null ? '' : `: ${why}`}${found}`
}
