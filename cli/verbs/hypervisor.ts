import { Command, Option } from 'commander'
import { HoldfastError } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { exit } from '../exit-codes.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { ago } from '../render/words.ts'
import { examples, listAll, type Verb } from './common.ts'

const platforms = ['qemu', 'image'] as const

interface AddOptions {
  readonly platform: (typeof platforms)[number]
  readonly site: string
  readonly credential: string
  readonly option: Record<string, string | number | boolean>
  readonly discover?: boolean
}

export const hypervisor: Verb = (ioOf) => {
  const command = new Command('hypervisor').description('hypervisor endpoints: add, list, test, discover their VMs')
  examples(command, [
    'holdfast hypervisor add lab /srv/lab/vms --platform qemu --discover',
    'holdfast hypervisor ls',
    'holdfast hypervisor test lab',
  ])
  command
    .command('set')
    .description('say where one is now, or how it is reached; its VMs and their points stay')
    .argument('<id>')
    .option('--address <address>', 'host, URL, or for qemu and image a directory on the worker')
    .option('--site <site>', 'whose workers reach it')
    .option('--credential <ref>', 'file:/path on the worker')
    .action(async (id: string, options: { address?: string; site?: string; credential?: string }, self: Command) => {
      const io = ioOf(self)
      const { address, site, credential } = options
      const body = {
        ...(address !== undefined && { address }),
        ...(site !== undefined && { site }),
        ...(credential !== undefined && { credentialRef: credential }),
      }
      const set = await ask(io.api().PATCH('/hypervisors/{id}', { params: { path: { id } }, body }))
      io.answer(set, () => `${set.id} is at ${plain(set.address)} now. Test it: holdfast hypervisor test ${set.id}`)
    })
  command
    .command('add')
    .description('connect one')
    .argument('<name>')
    .argument('<address>', 'host, URL, or for qemu and image a directory on the worker')
    .addOption(new Option('--platform <platform>').choices(platforms).makeOptionMandatory())
    .option('--site <site>', 'whose workers reach it', 'local')
    .option('--credential <ref>', 'file:/path on the worker', '')
    .option('--option <name=value>', 'of the driver; may be repeated', addOption, {})
    .option('--discover', 'list its VMs at once')
    .action(async (name: string, address: string, options: AddOptions, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const added = await ask(
        api.POST('/hypervisors', {
          body: {
            name,
            address,
            platform: options.platform,
            site: options.site,
            credentialRef: options.credential,
            options: options.option,
          },
        }),
      )
      if (!options.discover)
        return io.answer(
          added,
          () => `Connected ${added.id}. Discover its VMs: holdfast hypervisor discover ${added.id}`,
        )
      const discovery = await ask(api.POST('/hypervisors/{id}/discover', { params: { path: { id: added.id } } }))
      io.answer({ ...added, discovery }, () => `Connected ${added.id}.\n${discoveryText(discovery)}`)
      if (discovery.probe.error) io.end(exit.failed)
    })
  command
    .command('ls')
    .description('list them')
    .action(async (_options: object, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const { items, total } = await listAll(10_000, (page) =>
        ask(api.GET('/hypervisors', { params: { query: page } })),
      )
      io.answer({ items, total }, () =>
        table(items, [
          { head: 'HYPERVISOR', cell: (one) => one.id },
          { head: 'PLATFORM', cell: (one) => one.platform },
          { head: 'SITE', cell: (one) => one.site },
          { head: 'VMS', cell: (one) => String(one.vms), right: true },
          {
            head: 'LAST TEST',
            cell: (one) => (one.probe ? `${one.probe.state} ${ago(one.probe.testedMs, io.world.now())}` : 'never'),
          },
          { head: 'ADDRESS', cell: (one) => plain(one.address) },
        ]),
      )
    })
  command
    .command('test')
    .description('test the connection from a worker of its site')
    .argument('<id>')
    .action(async (id: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const probe = await ask(io.api().POST('/hypervisors/{id}/test', { params: { path: { id } } }))
      io.answer(probe, () => probeText(probe))
      if (probe.error) io.end(exit.failed)
    })
  command
    .command('discover')
    .description('test the connection and list its VMs')
    .argument('<id>')
    .action(async (id: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const discovery = await ask(io.api().POST('/hypervisors/{id}/discover', { params: { path: { id } } }))
      io.answer(discovery, () => discoveryText(discovery))
      if (discovery.probe.error) io.end(exit.failed)
    })
  return command
}

function addOption(
  text: string,
  known: Record<string, string | number | boolean>,
): Record<string, string | number | boolean> {
  const [, name, value] = /^([A-Za-z0-9._-]+)=(.*)$/.exec(text) ?? []
  if (name === undefined || value === undefined) throw new HoldfastError('InvalidRequest', `not name=value: ${text}`)
  return {
    ...known,
    [name]: value === 'true' ? true : value === 'false' ? false : /^-?\d{1,15}$/.test(value) ? Number(value) : value,
  }
}

function probeText(probe: Schemas['Probe']): string {
  if (probe.error) return `Failed: ${plain(probe.error.message)}\n  ${plain(probe.error.hint)}`
  const findings = probe.findings
    .map((finding) => `\n  ${finding.severity}: ${plain(finding.message)}. ${plain(finding.hint)}`)
    .join('')
  return `It answers: version ${plain(probe.version ?? 'unknown')}, driver ${probe.evidence ?? 'unverified'}.${findings}`
}

function discoveryText({ probe, found, added, changed, gone }: Schemas['Discovery']): string {
  return probe.error
    ? probeText(probe)
    : `${probeText(probe)}\n${found} VMs: ${added} new, ${changed} changed, ${gone} gone.`
}
