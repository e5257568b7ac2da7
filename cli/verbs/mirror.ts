import { Command } from 'commander'
import { formatDuration, HoldfastError } from '../../base/index.ts'
import { ask, done, type Schemas } from '../client/index.ts'
import { followRun } from '../follow.ts'
import type { Io } from '../io.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { at } from '../render/words.ts'
import { examples, findPoint, findVm, keyHeader, moment, type Verb } from './common.ts'

interface Options {
  readonly vm?: string
  readonly point?: string
  readonly all?: true
  readonly reason: string
  readonly key?: string
  readonly watch?: true
  readonly shippedUntil?: number
  readonly note?: string
  readonly arrived?: true
}

export const mirror: Verb = (ioOf) =>
  examples(new Command('mirror'), [
    'holdfast mirror',
    'holdfast mirror main offsite --watch',
    'holdfast mirror main offsite --vm web-01 --all',
    'holdfast mirror main offsite --vm web-01 --point latest',
    'holdfast mirror main offsite --shipped-until 2026-12-05 --note "disk 7, courier"',
    'holdfast mirror main offsite --arrived --watch',
  ])
    .description('copy points into another repository, under its own keys and retention; alone: how far each is behind')
    .argument('[from]', 'repository')
    .argument('[to]', 'repository')
    .option('--vm <vm>', 'only points of this VM')
    .option('--point <point>', 'only this point of it, also if it failed or was removed there: latest, id, or time')
    .option('--all', 'also points older than the newest there; never such as were removed there')
    .option(
      '--shipped-until <date>',
      'copies are on their way on media, expected by then: nothing is started',
      shippedUntil,
    )
    .option('--note <text>', 'with --shipped-until: what people should know of it')
    .option('--arrived', 'the media are there: what they brought is read there, and what is missing is copied')
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
      if (options.shippedUntil !== undefined) return await ship(io, { source: sourceId, target: targetId }, options)
      if (options.note !== undefined)
        throw new HoldfastError('InvalidRequest', '--note goes with --shipped-until', {
          hint: 'Say --reason for a run.',
        })
      if (options.point !== undefined && options.vm === undefined)
        throw new HoldfastError('InvalidRequest', '--point is a point of a VM', { hint: 'Name it with --vm.' })
      const vm = options.vm === undefined ? undefined : await findVm(api, options.vm)
      const point = vm && options.point !== undefined ? await findPoint(api, vm.id, options.point) : undefined
      const which = point
        ? { pointId: point.id }
        : { ...(vm && { vmId: vm.id }), all: options.all ?? options.arrived ?? false }
      if (options.arrived)
        await done(
          api.DELETE('/mirrors/{source}/{target}/shipment', {
            params: { path: { source: sourceId, target: targetId } },
          }),
        )
      const body = { sourceId, targetId, reason: options.reason, ...which }
      const run = await ask(api.POST('/mirrors', { params: keyHeader(options.key), body }))
      if (!options.watch) {
        io.answer(run, () => `Started ${run.workflowId}.\n  ${run.command}`)
        return
      }
      io.end(await followRun(io, api, run.runId))
    })

/** Starts nothing. */
async function ship(
  io: Io,
  path: { readonly source: string; readonly target: string },
  options: Options,
): Promise<void> {
  const { shippedUntil: untilMs = 0, note = '', vm, point, all, arrived, watch } = options
  if ([vm, point, all, arrived, watch].some((one) => one !== undefined))
    throw new HoldfastError('InvalidRequest', '--shipped-until starts no run: it goes with --note alone')
  const shipment = await ask(
    io.api().PUT('/mirrors/{source}/{target}/shipment', { params: { path }, body: { untilMs, note } }),
  )
  io.answer(shipment, () =>
    [
      `Copies from ${plain(path.source)} are expected in ${plain(path.target)} by ${at(shipment.untilMs)}. Until then nothing is sent there by itself, and the lag is no alert.`,
      `When they are there: holdfast mirror ${plain(path.source)} ${plain(path.target)} --arrived`,
    ].join('\n'),
  )
}

/** A day means until its end, in UTC. Throws InvalidRequest. */
function shippedUntil(text: string): number {
  const ms = moment('--shipped-until')(text)
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? ms + 86_400_000 - 1000 : ms
}

function posted({ untilMs, isOverdue, note }: Schemas['Shipment']): string {
  return `${isOverdue ? 'OVERDUE since' : 'until'} ${at(untilMs)}${note === '' ? '' : ` (${plain(note)})`}`
}

function mirrorsText(mirrors: readonly Schemas['Mirror'][]): string {
  if (mirrors.length === 0) return 'Nothing is copied from one repository into another.'
  return table(mirrors, [
    { head: 'FROM', cell: ({ sourceName }) => plain(sourceName) },
    { head: 'TO', cell: ({ targetName }) => plain(targetName) },
    { head: 'THERE', cell: ({ done }) => String(done), right: true },
    { head: 'BEHIND', cell: ({ behind }) => String(behind), right: true },
    { head: 'FAILED', cell: ({ failed }) => String(failed), right: true },
    { head: 'LAG', cell: ({ lagMs }) => (lagMs === 0 ? '–' : formatDuration(lagMs)), right: true },
    { head: 'BY POST', cell: ({ shipment }) => (shipment === null ? '–' : posted(shipment)) },
    { head: 'NEWEST THERE', cell: ({ newestMs }) => at(newestMs) },
  ])
}
