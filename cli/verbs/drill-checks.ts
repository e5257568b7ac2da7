import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { describeError, formatDuration, HoldfastError } from '../../base/index.ts'
import { ask, type ApiClient, type Schemas } from '../client/index.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { examples, findVm, type Verb } from './common.ts'

type Check = Schemas['DrillCheck']

interface Options {
  readonly category?: string
  readonly set?: string
  readonly clear?: true
}

/** What drills ask of a VM, or of all VMs of a category that have no checks of their own, when they begin by themselves. */
export const drillChecks: Verb = (ioOf) => {
  const command = new Command('drill-checks')
    .description('what drills ask of a VM once it is restored and booted; with --set, what they ask from now on')
    .argument('[vm]', 'id or name')
    .option('--category <name>', 'instead: what they ask of its VMs that have no checks of their own')
    .option('--set <file>', 'JSON list: commands, ports and pages; `--json` prints it as it is now')
    .addOption(new Option('--clear', 'no checks of its own: a VM is asked what its category asks').conflicts('set'))
  examples(command, [
    'holdfast drill-checks web-01',
    'holdfast drill-checks web-01 --json > checks.json',
    'holdfast drill-checks web-01 --set checks.json',
    'holdfast drill-checks --category critical --set checks.json',
  ])
  return command.action(async (vm: string | undefined, options: Options) => {
    const io = ioOf(command)
    if ((vm === undefined) === (options.category === undefined))
      throw new HoldfastError('InvalidRequest', 'say of which VM, or of which category', {
        hint: 'holdfast drill-checks VM, or holdfast drill-checks --category NAME',
      })
    const wanted = options.clear ? [] : options.set === undefined ? null : readChecks(options.set)
    const { checks, whose, from } =
      vm === undefined ? await ofCategory(io.api(), options.category ?? '', wanted) : await ofVm(io.api(), vm, wanted)
    io.answer(checks, () =>
      checks.length === 0
        ? `Drills ask ${whose} nothing, so none begins by itself.`
        : [
            ...(from === null ? [] : [`From ${from}.`, '']),
            table(checks, [
              { head: 'WHAT', cell: ({ title }) => plain(title) },
              { head: 'ASKS', cell: (check) => plain(asks(check)) },
              { head: 'RIGHT IF', cell: (check) => plain(rightIf(check)) },
            ]),
          ].join('\n'),
    )
  })
}

/** `from`: of a VM, who else says so. */
interface Asked {
  readonly checks: readonly Check[]
  readonly whose: string
  readonly from: string | null
}

async function ofVm(api: ApiClient, name: string, wanted: Check[] | null): Promise<Asked> {
  const found = await findVm(api, name)
  const params = { path: { id: found.id } }
  const { revision } = found
  const vm =
    wanted === null ? found : await ask(api.PATCH('/vms/{id}', { params, body: { drillChecks: wanted, revision } }))
  const { checks, checksFrom } = vm.drill
  return { checks, whose: plain(vm.name), from: vm.drillChecks.length > 0 ? null : checksFrom }
}

async function ofCategory(api: ApiClient, name: string, wanted: Check[] | null): Promise<Asked> {
  const { items } = await ask(api.GET('/categories'))
  const found = items.find((one) => one.name === name)
  if (found === undefined)
    throw new HoldfastError('NotFound', `there is no category ${name}`, {
      hint: 'List them with `holdfast categories`.',
    })
  const whose = `VMs of the category ${name}`
  if (wanted === null) return { checks: found.drill?.checks ?? [], whose, from: null }
  const { name: id, createdMs: _c, changedMs: _m, vms: _v, ...spec } = found
  const body = { ...spec, drill: { ...spec.drill, checks: wanted } }
  const saved = await ask(api.PUT('/categories/{id}', { params: { path: { id } }, body }))
  return { checks: saved.drill?.checks ?? [], whose, from: null }
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
