import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { describeError, formatDuration, HoldfastError } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { examples, findVm, type Verb } from './common.ts'

type Check = Schemas['DrillCheck']

/** What drills ask of a VM when they begin by themselves. */
export const drillChecks: Verb = (ioOf) => {
  const command = new Command('drill-checks')
    .description('what drills ask of a VM once it is restored and booted; with --set, what they ask from now on')
    .argument('<vm>', 'id or name')
    .option('--set <file>', 'JSON list: commands, ports and pages; `--json` prints it as it is now')
    .addOption(new Option('--clear', 'ask nothing: no drill begins by itself').conflicts('set'))
  examples(command, [
    'holdfast drill-checks web-01',
    'holdfast drill-checks web-01 --json > checks.json',
    'holdfast drill-checks web-01 --set checks.json',
  ])
  return command.action(async (name: string, options: { readonly set?: string; readonly clear?: true }) => {
    const io = ioOf(command)
    const api = io.api()
    const wanted = options.clear ? [] : options.set === undefined ? null : readChecks(options.set)
    const vm = await findVm(api, name)
    const { drillChecks: checks } =
      wanted === null
        ? vm
        : await ask(api.PATCH('/vms/{id}', { params: { path: { id: vm.id } }, body: { drillChecks: wanted } }))
    io.answer(checks, () =>
      checks.length === 0
        ? `Drills ask ${plain(vm.name)} nothing, so none begins by itself.`
        : table(checks, [
            { head: 'WHAT', cell: ({ title }) => plain(title) },
            { head: 'ASKS', cell: (check) => plain(asks(check)) },
            { head: 'RIGHT IF', cell: (check) => plain(rightIf(check)) },
          ]),
    )
  })
}

function asks(check: Check): string {
  if (check.kind === 'port') return `port ${check.port}`
  if (check.kind === 'http') return check.url
  return [...(check.prepares ? ['first:'] : []), check.path, ...(check.args ?? [])].join(' ')
}

function rightIf(check: Check): string {
  const soon = check.withinMs ? [`within ${formatDuration(check.withinMs)}`] : []
  if (check.kind === 'port') return ['somebody listens', ...soon].join(', ')
  const matches = check.pattern ? [`matches ${check.pattern}`] : []
  if (check.kind === 'http') return ['the page comes', ...matches, ...soon].join(', ')
  const { count } = check
  const than = count?.expected === 'previous' ? 'in the last drill' : String(count?.expected)
  const counts = count ? [`counts ${than} ± ${Number((count.tolerance * 100).toFixed(2))} %`] : []
  return [`exit ${check.expectExit ?? 0}`, ...matches, ...counts, ...soon].join(', ')
}

/** The server judges each one. */
export function readChecks(file: string): Check[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new HoldfastError('InvalidRequest', `${file} cannot be read as JSON: ${describeError(error)}`, {
      cause: error,
    })
  }
  if (!Array.isArray(parsed)) throw new HoldfastError('InvalidRequest', `${file} is not a list of checks`)
  return parsed as Check[]
}
