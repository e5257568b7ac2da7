import { Command } from 'commander'
import { ask, type ApiClient, type Schemas } from '../client/index.ts'
import { followRun } from '../follow.ts'
import type { Io } from '../io.ts'
import { runbookText } from '../render/runbook.ts'
import { styleOf } from '../render/style.ts'
import { examples, keyHeader, runPath, type Verb } from './common.ts'

const runArgument = ['<run>', 'run id, or workflow id (backup/web-01 is its latest run)'] as const

export const run: Verb = (ioOf) => {
  const command = new Command('run').description('one run: look at it, follow it, act on it')
  examples(command, [
    'holdfast run watch backup/web-01',
    'holdfast run show backup/web-01',
    'holdfast run cancel backup/web-01 --reason "wrong repository"',
  ])

  const verbs = { parent: command, ioOf }
  command
    .command('show')
    .description('the runbook: phases, steps, what failed and what to do')
    .argument(...runArgument)
    .action(async (name: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const book = await ask(io.api().GET('/runs/{run}/runbook', runPath(name)))
      io.answer(book, () => runbookText(book, styleOf(io.hasColor), io.world.now()))
    })
  command
    .command('watch')
    .description('follow it to its end; the exit code tells how it ended')
    .argument(...runArgument)
    .action(async (name: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      // The run of now, not whichever is the latest later.
      const { runId } = await ask(api.GET('/runs/{run}', runPath(name)))
      io.end(await followRun(io, api, runId))
    })
  act(verbs, 'pause', 'let the running steps stop at the next durable place', 'It pauses.', (api, name, reason) =>
    ask(api.POST('/runs/{run}/pause', { ...runPath(name), body: { reason } })),
  )
  act(verbs, 'resume', 'go on after a pause', 'It goes on.', (api, name, reason) =>
    ask(api.POST('/runs/{run}/resume', { ...runPath(name), body: { reason } })),
  )
  act(
    verbs,
    'cancel',
    'undo what was begun and end',
    'It is undoing its steps; it ends when nothing is left behind, or says what is.',
    (api, name, reason) => ask(api.POST('/runs/{run}/cancel', { ...runPath(name), body: { reason } })),
  )
  command
    .command('retry')
    .description('ended: start it again with the same input; running: do not wait for the next attempt')
    .argument(...runArgument)
    .option('--step <id>', 'only this step of a running one')
    .option('--confirm <name>', 'a restore in place: the name of the VM whose disks are replaced')
    .option('--reason <text>', 'shown in the runbook', '')
    .option('--key <text>', 'Idempotency-Key: repeating the command starts nothing twice')
    .option('-w, --watch', 'follow it to its end')
    .action(async (name: string, options: RetryOptions, self: Command) => retry(ioOf(self), name, options))
  return command
}

function act(
  { parent, ioOf }: { readonly parent: Command; readonly ioOf: (command: Command) => Io },
  verb: string,
  description: string,
  done: string,
  call: (api: ApiClient, name: string, reason: string) => Promise<Schemas['Accepted']>,
): void {
  parent
    .command(verb)
    .description(description)
    .argument(...runArgument)
    .option('--reason <text>', 'shown in the runbook', '')
    .action(async (name: string, options: { reason: string }, self: Command) => {
      const io = ioOf(self)
      const accepted = await call(io.api(), name, options.reason)
      io.answer(accepted, () => `${done}\n  ${accepted.command}`)
    })
}

interface RetryOptions {
  readonly step?: string
  readonly confirm?: string
  readonly reason: string
  readonly key?: string
  readonly watch?: boolean
}

async function retry(io: Io, name: string, options: RetryOptions): Promise<void> {
  const api = io.api()
  const known = await ask(api.GET('/runs/{run}', runPath(name)))
  let { runId } = known
  if (known.endedMs === null) {
    const { step, reason } = options
    const { steps } = await ask(
      api.POST('/runs/{run}/retry-now', { ...runPath(runId), body: { reason, ...(step !== undefined && { step }) } }),
    )
    if (!options.watch)
      io.answer({ ...known, steps }, () =>
        steps.length > 0 ? `Trying again now: ${steps.join(', ')}` : 'It looks again now.',
      )
  } else {
    const { reason, confirm, key } = options
    const accepted = await ask(
      api.POST('/runs/{run}/retry', {
        params: { ...runPath(runId).params, ...keyHeader(key) },
        body: { reason, ...(confirm !== undefined && { confirmName: confirm }) },
      }),
    )
    runId = accepted.runId
    if (!options.watch) io.answer(accepted, () => `Started ${accepted.workflowId} again.\n  ${accepted.command}`)
  }
  if (options.watch) io.end(await followRun(io, api, runId))
}
