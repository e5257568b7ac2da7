import { Command, Option } from 'commander'
import { ask, type Schemas } from '../client/index.ts'
import { plain, styleOf } from '../render/style.ts'
import { pairs, table } from '../render/table.ts'
import { ago, at, size } from '../render/words.ts'
import { examples, findPoint, findVm, listAll, whole, type Verb } from './common.ts'

interface Options {
  readonly repository?: string
  readonly proven?: 'passed' | 'failed' | 'inconclusive' | 'never'
  readonly point?: string
  readonly suspicious?: true
  readonly limit: number
}

export const points: Verb = (ioOf) => {
  const command = new Command('points')
    .description('recovery points, newest first, with their proof; one point in detail')
    .argument('[vm]', 'id or name')
    .option('--point <point>', 'this one in detail: latest, id, or time')
    .option('--repository <id>', 'only in this repository')
    .addOption(
      new Option('--proven <verdict>', 'only with this last drill').choices([
        'passed',
        'failed',
        'inconclusive',
        'never',
      ]),
    )
    .option('--suspicious', 'only those whose change was flagged, and that nobody has called expected')
    .option('--limit <n>', 'rows at most', whole('--limit', 1, 10_000), 50)
  examples(command, [
    'holdfast points web-01',
    'holdfast points web-01 --point latest',
    'holdfast points --proven never',
  ])
  return command.action(async (name: string | undefined, options: Options) => {
    const io = ioOf(command)
    const api = io.api()
    const style = styleOf(io.hasColor)
    const now = io.world.now()
    const vm = name === undefined ? undefined : await findVm(api, name)
    if (vm && options.point !== undefined) {
      const { id } = await findPoint(api, vm.id, options.point)
      const point = await ask(api.GET('/points/{id}', { params: { path: { id } } }))
      io.answer(point, () =>
        [
          `${style.bold(`Point of ${plain(point.vmName)}, ${at(point.createdMs)}`)}  ${point.verification?.level ?? 'not validated'}`,
          '',
          pairs([
            ['id', point.id],
            ['repository', `${point.repositoryName} (${point.repositoryPath})`],
            ['stem', point.stem],
            ['made', `${point.mode}, ${point.origin}, ${consistencyOf(point)}`],
            ['read, stored', `${size(point.readBytes)}, ${size(point.newBytes)} new of ${size(point.logicalBytes)}`],
            [
              'proof',
              point.proof ? `${point.proof.verdict} ${ago(point.proof.endedMs, now)}` : 'never booted in a drill',
            ],
            ['changed', point.changed === null ? 'not measured' : plain(point.changed.sentence)],
            ...changeLines(point.changed),
            ['restore', point.command],
          ]),
          '',
          table(point.disks, [
            { head: 'DISK', cell: (disk) => disk.disk },
            { head: 'SIZE', cell: (disk) => size(disk.size), right: true },
            { head: 'READ', cell: (disk) => size(disk.readBytes), right: true },
            { head: 'NEW', cell: (disk) => size(disk.newBytes), right: true },
            { head: 'MODE', cell: (disk) => (disk.why ? `${disk.mode}: ${disk.why}` : disk.mode) },
          ]),
          '',
          copiesText(point.copies),
        ].join('\n'),
      )
      return
    }
    const filter = {
      ...(vm && { vmId: vm.id }),
      ...(options.repository !== undefined && { repositoryId: options.repository }),
      ...(options.proven && { proven: options.proven }),
      ...(options.suspicious && { suspicious: 'true' as const }),
    }
    const { items, total } = await listAll(options.limit, (page) =>
      ask(api.GET('/points', { params: { query: { ...filter, ...page } } })),
    )
    io.answer({ items, total }, () =>
      table(items, [
        { head: 'POINT IN TIME', cell: (point) => at(point.createdMs) },
        { head: 'ID', cell: (point) => point.id.slice(0, 12) },
        ...(vm ? [] : [{ head: 'VM', cell: (point: (typeof items)[number]) => point.vmId }]),
        { head: 'MODE', cell: (point) => point.mode },
        { head: 'READ', cell: (point) => size(point.readBytes), right: true },
        { head: 'NEW', cell: (point) => size(point.newBytes), right: true },
        { head: 'CONSISTENT', cell: (point) => point.atRest ?? point.consistency },
        { head: 'CHECKED', cell: (point) => point.verification?.level ?? 'not validated' },
        { head: 'CHANGE', cell: ({ change }) => (change === null ? '' : change.state) },
        {
          head: 'PROOF',
          cell: (point) => (point.proof ? `${point.proof.verdict} ${ago(point.proof.endedMs, now)}` : 'never'),
        },
        { head: 'REPOSITORY', cell: (point) => point.repositoryId },
      ]),
    )
    if (total > items.length) io.say(`${items.length} of ${total}; --limit shows more`)
  })
}

function changeLines(changed: Schemas['PointDetail']['changed']): [string, string][] {
  if (changed === null || (changed.state !== 'suspicious' && changed.review === null)) return []
  const { score, review, lastCleanId, lastCleanMs } = changed
  const said =
    review === null ? 'nobody has looked' : `${review.verdict}, by ${plain(review.by)}: ${plain(review.reason)}`
  return [
    ['flagged', `score ${score} of 100; ${said}`],
    ['last good', lastCleanId === null ? 'none' : `${at(lastCleanMs)} (${lastCleanId})`],
  ]
}

function copiesText(copies: readonly Schemas['PointCopy'][]): string {
  return table(copies, [
    { head: 'COPY IN', cell: ({ repositoryName }) => plain(repositoryName) },
    { head: 'FROM', cell: ({ sourceName }) => (sourceName === null ? 'hypervisor' : plain(sourceName)) },
    { head: 'STATE', cell: stateOf },
    { head: 'NEW', cell: ({ storedBytes }) => size(storedBytes), right: true },
    { head: 'READ BACK', cell: ({ verification }) => at(verification?.ms) },
    { head: 'IMMUTABLE UNTIL', cell: ({ immutableUntilMs }) => (immutableUntilMs === 0 ? 'no' : at(immutableUntilMs)) },
    { head: '', cell: ({ problem }) => (problem === null ? '' : plain(problem)) },
  ])
}

function stateOf({ state, damage, goneMs }: Schemas['PointCopy']): string {
  if (state !== 'done') return state
  return goneMs !== null ? 'gone' : damage === null ? 'there' : 'damaged'
}

function consistencyOf({ consistency, atRest }: Pick<Schemas['Point'], 'consistency' | 'atRest'>): string {
  if (atRest === null) return `${consistency} consistent`
  return atRest === 'off' ? 'of the VM switched off' : 'of the VM shut down for it'
}
