import { Command, Option } from 'commander'
import { ask } from '../client/index.ts'
import { plain, styleOf } from '../render/style.ts'
import { pairs, table } from '../render/table.ts'
import { ago, at, postureTones, size } from '../render/words.ts'
import { examples, findVm, listAll, whole, type Verb } from './common.ts'

const states = ['protected', 'late', 'overdue', 'failed', 'unprotected', 'excluded', 'outside-rpo', 'running'] as const

interface Options {
  readonly state?: (typeof states)[number]
  readonly tag?: string
  readonly find?: string
  readonly limit: number
}

export const vms: Verb = (ioOf) => {
  const command = new Command('vms')
    .description('VMs, those outside their promise first; one VM in detail')
    .argument('[vm]', 'id or name')
    .addOption(new Option('--state <state>', 'only these').choices(states))
    .option('--tag <tag>', 'only with this tag')
    .option('--find <text>', 'part of the name or of a tag')
    .option('--limit <n>', 'rows at most', whole('--limit', 1, 10_000), 200)
  examples(command, ['holdfast vms', 'holdfast vms --state outside-rpo', 'holdfast vms web-01'])
  return command.action(async (name: string | undefined, options: Options) => {
    const io = ioOf(command)
    const style = styleOf(io.hasColor)
    const now = io.world.now()
    if (name !== undefined) {
      const vm = await findVm(io.api(), name)
      io.answer(vm, () =>
        [
          `${style.bold(plain(vm.name))}  ${style.tone(postureTones[vm.posture.state], vm.posture.state)}`,
          plain(vm.posture.sentence),
          '',
          pairs([
            ['id', vm.id],
            ['hypervisor', `${plain(vm.hypervisorName)} (${vm.platform}, site ${vm.site})`],
            ['power', vm.power],
            ['newest point', vm.newestPoint ? `${at(vm.newestPoint.createdMs)}  ${vm.newestPoint.id}` : 'none'],
            ['points', String(vm.pointCount)],
            ['last proof', vm.lastProof ? `${vm.lastProof.verdict} ${ago(vm.lastProof.endedMs, now)}` : 'never'],
            ['running', vm.running ? `${vm.running.workflowId} · ${vm.running.state}` : 'nothing'],
            ['guest agent', vm.guestAgent],
            ['flags', vm.flags.join(', ') || 'none'],
          ]),
          // What the page says above everything else: a VM that is on time may still not come back.
          ...vm.weaknesses.map(({ title, hint }) => `${style.tone('attention', '!')} ${title}.\n  ${hint}`),
          '',
          table(vm.disks, [
            { head: 'DISK', cell: (disk) => disk.key },
            { head: 'LABEL', cell: (disk) => plain(disk.label) },
            { head: 'SIZE', cell: (disk) => size(disk.size), right: true },
            { head: 'FORMAT', cell: (disk) => disk.format },
            { head: '', cell: (disk) => (disk.skip === null ? '' : `left out: ${disk.skip}`) },
          ]),
        ].join('\n'),
      )
      return
    }
    const { state, tag, find, limit } = options
    const filter = {
      ...(state && { state }),
      ...(tag !== undefined && { tag }),
      ...(find !== undefined && { q: find }),
    }
    const api = io.api()
    const { items, total } = await listAll(limit, (page) =>
      ask(api.GET('/vms', { params: { query: { ...filter, ...page } } })),
    )
    io.answer({ items, total }, () =>
      table(items, [
        { head: 'STATE', cell: (vm) => style.tone(postureTones[vm.posture.state], vm.posture.state) },
        { head: 'VM', cell: (vm) => vm.id },
        { head: 'NEWEST POINT', cell: (vm) => (vm.newestPoint ? ago(vm.newestPoint.createdMs, now) : 'never') },
        { head: 'POINTS', cell: (vm) => String(vm.pointCount), right: true },
        {
          head: 'LAST PROOF',
          cell: (vm) => (vm.lastProof ? `${vm.lastProof.verdict} ${ago(vm.lastProof.endedMs, now)}` : 'never'),
        },
        { head: 'SIZE', cell: (vm) => size(vm.sizeBytes), right: true },
        { head: 'WHERE', cell: (vm) => `${vm.hypervisorId} · ${vm.site}` },
        { head: '', cell: (vm) => [...(vm.running ? [vm.running.state] : []), ...vm.flags].join(', ') },
      ]),
    )
    if (total > items.length) io.say(`${items.length} of ${total}; --limit shows more`)
  })
}
