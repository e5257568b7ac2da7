import { Command } from 'commander'
import { formatDuration, HoldfastError } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { followRun } from '../follow.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { at } from '../render/words.ts'
import { examples, findPoint, findVm, keyHeader, type Verb } from './common.ts'

interface Options {
  readonly vm?: string
  readonly point?: string
  readonly all?: true
  readonly reason: string
  readonly key?: string
  readonly watch?: true
}

export const mirror: Verb = (ioOf) =>
  examples(new Command('mirror'), [
    'holdfast mirror',
    'holdfast mirror main offsite --watch',
    'holdfast mirror main offsite --vm web-01 --all',
    'holdfast mirror main offsite --vm web-01 --point latest',
  ])
    .description('copy points into another repository, under its own keys and retention; alone: how far each is behind')
    .argument('[from]', 'repository')
    .argument('[to]', 'repository')
    .option('--vm <vm>', 'only points of this VM')
    .option('--point <point>', 'only this point of it, also if it failed or was removed there: latest, id, or time')
    .option('--all', 'also points older than the newest there; never such as were removed there')
    .option('--reason <text>', 'shown in the runbook', '')
    .option('--key <text>', 'Idempotency-Key: repeating the command starts nothing twice')
    .option('-w, --watch', 'follow it to its end')
    .action(async (sourceId: string | undefined, targetId: string | undefined, options: Options, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      if (sourceId === undefined) {
        const mirrors = await ask(api.GET('/mirrors'))
        io.answer(mirrors, () => mirrorsText(mirrors.items))
        return
      }
      if (targetId === undefined)
        throw new HoldfastError('InvalidRequest', 'into which repository?', { hint: `Say: mirror ${sourceId} <to>` })
      if (options.point !== undefined && options.vm === undefined)
        throw new HoldfastError('InvalidRequest', '--point is a point of a VM', { hint: 'Name it with --vm.' })
      const vm = options.vm === undefined ? undefined : await findVm(api, options.vm)
      const point = vm && options.point !== undefined ? await findPoint(api, vm.id, options.point) : undefined
      const which = point ? { pointId: point.id } : { ...(vm && { vmId: vm.id }), all: options.all ?? false }
      const body = { sourceId, targetId, reason: options.reason, ...which }
      const run = await ask(api.POST('/mirrors', { params: keyHeader(options.key), body }))
      if (!options.watch) {
        io.answer(run, () => `Started ${run.workflowId}.\n  ${run.command}`)
        return
      }
      io.end(await followRun(io, api, run.runId))
    })

function mirrorsText(mirrors: readonly Schemas['Mirror'][]): string {
  if (mirrors.length === 0) return 'Nothing is copied from one repository into another.'
  return table(mirrors, [
    { head: 'FROM', cell: ({ sourceName }) => plain(sourceName) },
    { head: 'TO', cell: ({ targetName }) => plain(targetName) },
    { head: 'THERE', cell: ({ done }) => String(done), right: true },
    { head: 'BEHIND', cell: ({ behind }) => String(behind), right: true },
    { head: 'FAILED', cell: ({ failed }) => String(failed), right: true },
    { head: 'LAG', cell: ({ lagMs }) => (lagMs === 0 ? '–' : formatDuration(lagMs)), right: true },
    { head: 'NEWEST THERE', cell: ({ newestMs }) => at(newestMs) },
  ])
}
