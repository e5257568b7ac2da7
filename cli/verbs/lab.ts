import { once } from 'node:events'
import { Command } from 'commander'
import { shellWord } from '../../base/index.ts'
import { homeFolder } from '../home.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { examples, whole, type Verb } from './common.ts'

interface UpOptions {
  readonly name: string
  readonly vms: number
  readonly detach?: boolean
}

export const lab: Verb = (ioOf) => {
  const command = new Command('lab').description('the test hypervisor: real QEMU guests in a folder')
  examples(command, ['holdfast lab up --vms 2 --detach', 'holdfast lab status', 'holdfast lab down'])
  const sub = (name: string, description: string): Command =>
    command.command(name).description(description).option('--name <name>', 'which lab', 'lab')
  sub('up', 'build the guest, start the VMs, wait until they answer')
    .option('--vms <n>', 'how many', whole('--vms', 1, 16), 1)
    .option('--detach', 'leave them running; else they end with this command')
    .action(async (options: UpOptions, self: Command) => {
      const io = ioOf(self)
      const { labUp } = await import('../../lab/index.ts')
      await using ends = new AsyncDisposableStack()
      const started = await labUp({
        home: homeFolder(io.world.env),
        name: options.name,
        vms: options.vms,
        lifetime: options.detach ? 'detached' : 'parent',
        progress: (text) => io.say(text),
      })
      if (!options.detach) ends.use(started)
      io.answer(
        { name: options.name, folder: started.folder, endpoint: started.endpoint },
        () =>
          `${started.vms.length} running in ${started.folder}\n  holdfast hypervisor add ${options.name} ${shellWord(started.endpoint.address)} --platform qemu --option scope=${String(started.endpoint.options.scope)} --discover`,
      )
      if (options.detach) return
      io.say('Ctrl-C ends them.')
      if (!io.world.signal.aborted) await once(io.world.signal, 'abort')
    })
  sub('status', 'which VMs there are and whether they run').action(async (options: { name: string }, self: Command) => {
    const io = ioOf(self)
    const { labStatus } = await import('../../lab/index.ts')
    const found = await labStatus({ home: homeFolder(io.world.env), name: options.name })
    io.answer(found, () =>
      found.vms.length === 0
        ? `no VM in ${found.folder}`
        : table(found.vms, [
            { head: 'VM', cell: (vm) => plain(vm.name) },
            { head: 'STATE', cell: (vm) => (vm.pid === null ? 'stopped' : `running, pid ${vm.pid}`) },
            { head: '', cell: (vm) => plain(vm.problem ?? '') },
          ]),
    )
  })
  sub('down', 'end its VMs')
    .option('--remove', 'and remove its folder')
    .action(async (options: { name: string; remove?: boolean }, self: Command) => {
      const io = ioOf(self)
      const { labDown } = await import('../../lab/index.ts')
      const done = await labDown(
        { home: homeFolder(io.world.env), name: options.name },
        { remove: options.remove === true },
      )
      io.answer(
        done,
        () =>
          `ended: ${done.stopped.join(', ') || 'nothing was running'}${done.removed ? '; its folder is removed' : ''}`,
      )
    })
  return command
}
