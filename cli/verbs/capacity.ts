import { Command } from 'commander'
import { formatBytes, HoldfastError } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { plain } from '../render/style.ts'
import { pairs, table } from '../render/table.ts'
import { at, size } from '../render/words.ts'
import { byteSize, examples, listAll, whole, type Verb } from './common.ts'

interface Options {
  readonly vms?: number
  readonly size?: number
  readonly category: string
  readonly change: number
  readonly stored?: number
  readonly headroom: number
}

const percent = (name: string) => (text: string) => whole(name, 0, 200)(text) / 100

export const capacity: Verb = (ioOf) =>
  examples(new Command('capacity'), [
    'holdfast capacity',
    'holdfast capacity main',
    'holdfast capacity main --vms 20 --size 200GiB --category important',
  ])
    .description('when repositories are full by their measured growth; what more VMs would need')
    .argument('[repository]')
    .option('--vms <n>', 'what if: so many VMs more', whole('--vms', 1, 100_000))
    .option('--size <bytes>', 'what the disks of each hold', byteSize('--size'))
    .option('--category <name>', 'whose frequency and retention they would have', 'standard')
    .option('--change <percent>', 'of it that changes in a day; default: as measured, else 8', percent('--change'))
    .option(
      '--stored <percent>',
      'of it that is stored, after deduplication and compression; default: as measured, else 50',
      percent('--stored'),
    )
    .option('--headroom <percent>', 'room to leave over', percent('--headroom'), 0.3)
    .action(async (id: string | undefined, options: Options, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      if (id === undefined) {
        const { items, total } = await listAll(10_000, (page) => ask(api.GET('/capacity', { params: { query: page } })))
        io.answer({ items, total }, () => listText(items))
        return
      }
      const params = { path: { id } }
      if (options.vms === undefined) {
        const one = await ask(api.GET('/capacity/{id}', { params }))
        io.answer(one, () => detailText(one))
        return
      }
      if (options.size === undefined)
        throw new HoldfastError('InvalidRequest', 'how much do the disks of each hold?', { hint: 'Say: --size 200GiB' })
      const { vms, size: bytesPerVm, category, change: changeShare, stored: storedShare, headroom } = options
      const body = {
        vms,
        bytesPerVm,
        category,
        headroom,
        ...(changeShare !== undefined && { changeShare }),
        ...(storedShare !== undefined && { storedShare }),
      }
      const found = await ask(api.POST('/capacity/{id}/what-if', { params, body }))
      io.answer(found, () => whatIfText(found))
    })

function listText(items: readonly Schemas['Capacity'][]): string {
  if (items.length === 0) return 'No repository is registered.'
  return table(items, [
    { head: 'REPOSITORY', cell: ({ repositoryId }) => repositoryId },
    { head: 'STORED', cell: ({ storedBytes }) => size(storedBytes), right: true },
    { head: 'FREE', cell: ({ freeBytes }) => size(freeBytes), right: true },
    { head: 'A DAY', cell: ({ forecast }) => signed(forecast.perDay), right: true },
    { head: 'FULL BY', cell: ({ forecast }) => fullText(forecast) },
    { head: 'BETWEEN', cell: ({ forecast }) => betweenText(forecast) },
    { head: 'MEASURED', cell: ({ measuredMs }) => at(measuredMs) },
  ])
}

function detailText(one: Schemas['CapacityDetail']): string {
  const { forecast } = one
  return pairs([
    ['repository', plain(one.repositoryName)],
    ['measured', at(one.measuredMs)],
    ['stored', `${size(one.storedBytes)} of ${size(one.capacityBytes)}, ${size(one.freeBytes)} free`],
    [
      'stored share',
      one.storedShare === null ? '–' : `${(one.storedShare * 100).toFixed(1)} % of what all its points show`,
    ],
    [
      'growth a day',
      `${signed(forecast.perDay)}, between ${signed(forecast.perDayLow)} and ${signed(forecast.perDayHigh)}`,
    ],
    ['full by', `${fullText(forecast)}; ${betweenText(forecast)}`],
    ['by', `${forecast.samples} samples of ${forecast.days} days`],
  ])
}

function ratesText({ changeShare, storedShare, measuredVms }: Schemas['WhatIf']): string {
  const by = measuredVms === 0 ? '' : ` What was not said is by ${measuredVms} measured VMs.`
  const percentOf = (share: number): string => `${(share * 100).toFixed(1)} %`
  return `${percentOf(changeShare)} change in a day, ${percentOf(storedShare)} of it is stored.${by}`
}

function whatIfText(found: Schemas['WhatIf']): string {
  const last = found.marks.at(-1)
  const when =
    found.capacityBytes === null
      ? 'How much room there is is not known.'
      : found.fullMs === null
        ? `There is room for it for a year, of ${formatBytes(found.capacityBytes)}.`
        : `No room from ${day(found.fullMs)} on, of ${formatBytes(found.capacityBytes)}.`
  return [
    `${when} Kept: ${found.keep}. In a year ${size(last?.neededBytes)} are needed, headroom included.`,
    ratesText(found),
    '',
    table(found.marks, [
      { head: 'DAY', cell: ({ timeMs }) => day(timeMs) },
      { head: 'EXPECTED', cell: ({ expectedBytes }) => size(expectedBytes), right: true },
      { head: 'ADDED', cell: ({ addedBytes }) => size(addedBytes), right: true },
      { head: 'NEEDED', cell: ({ neededBytes }) => size(neededBytes), right: true },
    ]),
  ].join('\n')
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

function signed(bytes: number | null): string {
  if (bytes === null) return '–'
  return `${bytes < 0 ? '−' : '+'}${formatBytes(Math.abs(bytes))}`
}

const stateTexts: { readonly [state in Schemas['Forecast']['state']]: string } = {
  'too-few': 'not known before a week of samples',
  steady: 'no growth that can be told',
  shrinking: 'never: it shrinks',
  growing: 'not within ten years, or its room is not known',
  full: 'full now',
}

function fullText({ state, fullMs }: Schemas['Forecast']): string {
  return fullMs === null ? stateTexts[state] : day(fullMs)
}

function betweenText({ earliestMs, latestMs }: Schemas['Forecast']): string {
  if (earliestMs === null) return '–'
  return `${day(earliestMs)} … ${latestMs === null ? 'never' : day(latestMs)}`
}
