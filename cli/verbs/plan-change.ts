import type { Command } from 'commander'
import { HoldfastError } from '../../base/index.ts'
import { ask, done, type Schemas } from '../client/index.ts'
import type { Io } from '../io.ts'
import { plain } from '../render/style.ts'
import { until } from '../render/words.ts'

/** Pause, resume and removal of one plan: what a policy file says as well, for whoever is in a hurry. */
export function addPlanChanges(command: Command, ioOf: (self: Command) => Io): void {
  command
    .command('pause')
    .description('it starts nothing by itself any more; a run that is under way goes on')
    .argument('<plan>')
    .action(async (name: string, _options: object, self: Command) => pause(ioOf(self), name, true))
  command
    .command('resume')
    .description('it starts by its schedule again')
    .argument('<plan>')
    .action(async (name: string, _options: object, self: Command) => pause(ioOf(self), name, false))
  command
    .command('rm')
    .description('remove a plan; its points stay and go on ageing by what it said last')
    .argument('<plan>')
    .option('--confirm <name>', 'the name of the plan; without it only what would follow is said')
    .action(async (name: string, options: { readonly confirm?: string }, self: Command) =>
      remove(ioOf(self), name, options.confirm),
    )
}

async function pause(io: Io, name: string, paused: boolean): Promise<void> {
  const plan = await ask(io.api().PATCH('/plans/{id}', { params: { path: { id: name } }, body: { paused } }))
  io.answer(plan, () =>
    paused
      ? `${name} is paused: it starts nothing by itself. Resume it with \`holdfast plan resume ${name}\`.`
      : `${name} starts ${plan.words}${plan.nextMs === null ? '' : `, next ${until(plan.nextMs, io.world.now())}`}.`,
  )
}

async function remove(io: Io, name: string, confirm: string | undefined): Promise<void> {
  const api = io.api()
  const params = { path: { id: name } }
  const plan = await ask(api.GET('/plans/{id}', { params }))
  const follows = await ask(api.GET('/plans/{id}/farewell', { params }))
  if (confirm !== name) {
    throw new HoldfastError('InvalidRequest', `removing ${name}: ${farewellWords(follows).join(' ')}`, {
      hint: `Say so with --confirm ${name}; \`holdfast plan pause ${name}\` only stops it.`,
    })
  }
  await done(api.DELETE('/plans/{id}', { params: { ...params, query: { revision: plan.revision } } }))
  io.answer({ removed: name, ...follows }, () => [`${name} is removed.`, ...farewellWords(follows)].join('\n'))
}

function farewellWords({ unplanned, followers, run }: Schemas['PlanFarewell']): string[] {
  const { total, vms } = unplanned
  const more = total > vms.length ? ` and ${total - vms.length} more` : ''
  const names = vms.map(({ name }) => plain(name)).join(', ')
  return [
    'Its points stay and go on ageing by what it said last.',
    ...(total === 0 ? [] : [`No other plan takes ${names}${more}: nobody backs them up by itself.`]),
    ...(run === null ? [] : [`Of its run ${run.workflowId} what has begun is ended, the rest is skipped.`]),
    ...(followers.length === 0 ? [] : [`${followers.join(', ')} start after it: give them another schedule first.`]),
  ]
}
