import { Command, Option } from 'commander'
import { durationText } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import type { Io } from '../io.ts'
import { table } from '../render/table.ts'
import { whole } from './common.ts'
import { duration } from './policy-options.ts'

type Settings = Schemas['SweepSettings']
type Own = Schemas['SetSweepSettings']
type Default = 'default'

interface Options {
  readonly grace?: number | Default
  readonly approval?: 'grace' | 'required' | Default
  readonly approveWithin?: number | Default
  readonly maxShare?: number | Default
}

/** `holdfast retention settings`: what the daily sweeps run with, of one repository or of all. */
export function sweepSettings(ioOf: (command: Command) => Io): Command {
  return new Command('settings')
    .description('with what the daily sweeps run; without options: what is set. `default` takes a setting back')
    .argument('[repository]', 'without one: of all repositories that say nothing else')
    .option(
      '--grace <duration>',
      '0s to 30d: how long what goes can still be looked at',
      orDefault(duration('--grace')),
    )
    .addOption(
      new Option(
        '--approval <when>',
        'grace: once one was approved they go on by themselves; required: each is approved',
      ).choices(['grace', 'required', 'default']),
    )
    .option(
      '--approve-within <duration>',
      '1h to 90d: how long a sweep waits for a person',
      orDefault(duration('--approve-within')),
    )
    .option(
      '--max-share <percent>',
      'ask before more of one VM’s points go at once',
      orDefault(whole('--max-share', 1, 100)),
    )
    .action(async (repository: string | undefined, options: Options, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const params = { path: { id: repository ?? '' } }
      const get = () =>
        repository === undefined
          ? ask(api.GET('/sweep-settings', {}))
          : ask(api.GET('/repositories/{id}/sweep-settings', { params }))
      const put = (body: Own) =>
        repository === undefined
          ? ask(api.PUT('/sweep-settings', { body }))
          : ask(api.PUT('/repositories/{id}/sweep-settings', { params, body }))
      const now = await get()
      const isAsked = Object.keys(options).length > 0
      const answer = isAsked ? await put(changed(now.own, options)) : now
      io.answer(answer, () => settingsText(answer, isAsked))
    })
}

function orDefault<T>(parse: (text: string) => T): (text: string) => T | Default {
  return (text) => (text === 'default' ? 'default' : parse(text))
}

function changed(own: Own, { grace, approval, approveWithin, maxShare }: Options): Own {
  const pick = <T>(wish: T | Default | undefined, there: T | null | undefined): T | null =>
    wish === 'default' ? null : (wish ?? there ?? null)
  const share = typeof maxShare === 'number' ? maxShare / 100 : maxShare
  return {
    graceMs: pick(grace, own.graceMs),
    approval: pick(approval, own.approval),
    approveWithinMs: pick(approveWithin, own.approveWithinMs),
    maxShare: pick(share, own.maxShare),
  }
}

function settingsText({ repositoryId, holds, own, wasApproved }: Settings, isChanged: boolean): string {
  const of = (isSet: boolean): string => (isSet ? 'set here' : repositoryId === null ? 'by default' : 'as for all')
  const set = <M extends keyof Settings['holds']>(member: M): string => of((own[member] ?? null) !== null)
  const rows = [
    ['grace time', durationText(holds.graceMs), set('graceMs')],
    ['approval', holds.approval === 'grace' ? 'after the grace time by itself' : 'each by a person', set('approval')],
    ['waits for a person', durationText(holds.approveWithinMs), set('approveWithinMs')],
    ['asks above', `${Math.round(holds.maxShare * 100)} % of a VM’s points`, set('maxShare')],
  ] as const
  const lines = table(rows, [
    { head: 'SETTING', cell: ([name]) => name },
    { head: 'HOLDS', cell: ([, value]) => value },
    { head: 'FROM', cell: ([, , from]) => from },
  ])
  const first =
    repositoryId === null || wasApproved || holds.approval === 'required'
      ? ''
      : `\nNobody has approved a sweep of ${repositoryId} yet: until then each daily one waits for that.`
  return `${lines}${first}${isChanged ? '\nA sweep that runs or waits goes on with what it was started with.' : ''}`
}
