import { Command, Option } from 'commander'
import { formatBytes } from '../../base/index.ts'
import { ask, type ApiClient, type Schemas } from '../client/index.ts'
import { exit } from '../exit-codes.ts'
import { followRun } from '../follow.ts'
import type { Io } from '../io.ts'
import { plain, styleOf } from '../render/style.ts'
import { at } from '../render/words.ts'
import { byteSize, examples, keyHeader, listAll, type Verb } from './common.ts'

const many = 5_000
const rangesShown = 4

interface VerifyOptions {
  readonly level: Schemas['VerifyLevel']
  readonly quarantine?: true
  readonly budget?: number
  readonly reason: string
  readonly key?: string
  readonly watch?: true
  readonly last?: true
}

export const verify: Verb = (ioOf) =>
  examples(new Command('verify'), [
    'holdfast verify main --watch',
    'holdfast verify main --level full --quarantine --watch',
    'holdfast verify main --level data --budget 500GiB',
    'holdfast verify main --last',
  ])
    .description('prove that what a repository holds can be read, and say which points lose what is damaged')
    .argument('<repository>')
    .addOption(
      new Option('--level <level>', 'tables and references, every stored byte, or every chunk opened')
        .choices(['quick', 'data', 'full'])
        .default('quick'),
    )
    .option('--quarantine', 'note what is proved damaged, so that the next backup stores it again')
    .option(
      '--budget <size>',
      'read so many bytes at most, those that were read longest ago first',
      byteSize('--budget'),
    )
    .option('--reason <text>', 'shown in the runbook', '')
    .option('--key <text>', 'Idempotency-Key: repeating the command starts nothing twice')
    .option('-w, --watch', 'follow it to its end, and say what was found')
    .option('--last', 'start nothing: show what the last one found')
    .action(async (repository: string, options: VerifyOptions, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      if (options.last) {
        const { items } = await ask(
          api.GET('/verify-runs', { params: { query: { repositoryId: repository, limit: 1 } } }),
        )
        const [run] = items
        if (run !== undefined) await show(io, api, run)
        else io.answer(null, () => `${repository} was never verified.`)
        return
      }
      const { level, quarantine = false, budget, reason } = options
      const started = await ask(
        api.POST('/repositories/{id}/verify', {
          params: { path: { id: repository }, ...keyHeader(options.key) },
          body: { level, quarantine, reason, ...(budget !== undefined && { budgetBytes: budget }) },
        }),
      )
      if (!options.watch) {
        io.answer(started, () => `Started ${started.workflowId}.\n  ${started.command}`)
        return
      }
      const code = await followRun(io, api, started.runId, { answer: false })
      if (code === exit.interrupted) io.end(code)
      else await show(io, api, await runOf(api, started.runId))
    })

function runOf(api: ApiClient, run: string): Promise<Schemas['VerifyRun']> {
  return ask(api.GET('/verify-runs/{run}', { params: { path: { run } } }))
}

/** Ends with `failed` unless everything that was looked at is sound. */
async function show(io: Io, api: ApiClient, run: Schemas['VerifyRun']): Promise<void> {
  const path = { run: run.runId }
  const { items: findings } = await listAll(many, (query) =>
    ask(api.GET('/verify-runs/{run}/findings', { params: { path, query } })),
  )
  io.answer({ run, findings }, () => text(run, findings, styleOf(io.hasColor)))
  if (run.state !== 'running' && run.verdict !== 'sound') io.end(exit.failed)
}

function text(
  run: Schemas['VerifyRun'],
  findings: readonly Schemas['VerifyFinding'][],
  style: ReturnType<typeof styleOf>,
): string {
  const { level, points, packs, bytes, startedMs, notes, notesLeft, error } = run
  const looked = `${level} of ${at(startedMs)}: ${points} points, ${packs} packs, ${formatBytes(bytes)} read`
  return [
    `${head(run, style)} ${looked}`,
    ...(error === null ? [] : [`${plain(error.message)}. ${plain(error.hint)}`]),
    ...findings.flatMap((finding) => ['', ...lines(finding)]),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `note: ${plain(note)}`)] : []),
    ...(notesLeft > 0 ? [`and ${notesLeft} more notes`] : []),
  ].join('\n')
}

function head(run: Schemas['VerifyRun'], style: ReturnType<typeof styleOf>): string {
  const { state, verdict, damages, damagedPoints, unreadable, quarantined } = run
  if (state === 'running') return 'Still running.'
  switch (verdict) {
    case null:
      return 'Cancelled: nothing is said.'
    case 'sound':
      return style.tone('ok', 'Sound.')
    case 'unreadable':
      return style.tone(
        'failed',
        state === 'failed' ? 'Not read.' : `${unreadable} could not be read, nothing is damaged.`,
      )
    case 'damaged': {
      const also = unreadable > 0 ? `, ${unreadable} could not be read` : ''
      const noted = quarantined > 0 ? `, ${quarantined} quarantined` : ''
      const points = damagedPoints === 1 ? '1 point loses' : `${damagedPoints} points lose`
      return style.tone('failed', `${damages} damaged, ${points} something${also}${noted}.`)
    }
  }
}

function lines({ object, found, message, proved, affects }: Schemas['VerifyFinding']): string[] {
  return [
    `${object} (${found}${proved ? '' : ', not proved'}): ${plain(message)}`,
    ...affects.map(({ stem, vm, disk, ranges }) => {
      const shown = ranges.slice(0, rangesShown).map(({ start, end }) => `${start}–${end}`)
      const where = shown.length > 0 ? `: bytes ${shown.join(', ')}${ranges.length > shown.length ? ', …' : ''}` : ''
      return `  ${plain(vm)} ${stem}${disk === null ? '' : ` ${disk}`}${where}`
    }),
  ]
}
