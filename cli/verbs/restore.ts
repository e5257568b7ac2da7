import { Command } from 'commander'
import { formatDuration, HoldfastError } from '../../base/index.ts'
import { ask, type ApiClient, type Schemas } from '../client/index.ts'
import { exit } from '../exit-codes.ts'
import { followRun } from '../follow.ts'
import { plain, styleOf, type Style } from '../render/style.ts'
import { examples, findPoint, findVm, keyHeader, type Verb } from './common.ts'

interface Options {
  readonly point: string
  readonly repository?: string
  readonly to?: string
  readonly name?: string
  readonly inPlace?: boolean
  readonly confirm?: string
  readonly disk?: readonly string[]
  readonly disks: boolean
  readonly sameIdentity?: boolean
  readonly start?: boolean
  readonly check?: boolean
  readonly yes?: boolean
  readonly reason: string
  readonly key?: string
  readonly watch?: boolean
}

export const restore: Verb = (ioOf) => {
  const command = new Command('restore')
    .description('bring a VM back: as a new one, or in its original place')
    .argument('<vm>', 'id or name')
    .option('--point <point>', 'latest, id, or time', 'latest')
    .option('--repository <id>', 'read this copy of the point, such as that of a mirror')
    .option('--name <name>', 'as a new VM of this name')
    .option('--to <hypervisor>', 'where the new VM goes; default: where the VM lives')
    .option('--in-place', 'in its original place; a safety point is taken first, the old disks are kept')
    .option('--confirm <name>', 'the VM’s name, for --in-place')
    .option('--disk <key...>', 'only these disks; in place the others and the machine stay as they are')
    .option('--no-disks', 'only the configuration, as a new VM without disks')
    .option('--same-identity', 'keep network addresses and machine id')
    .option('--start', 'power it on afterwards; default: in place as it was before, else off')
    .option('--no-start', 'leave it off')
    .option('--check', 'only say whether it would work and what it would do')
    .option('-y, --yes', 'do not ask')
    .option('--reason <text>', 'shown in the runbook', '')
    .option('--key <text>', 'Idempotency-Key: repeating the command starts nothing twice')
    .option('-w, --watch', 'follow it to its end')
  examples(command, [
    'holdfast restore web-01 --name web-01-restored --watch',
    'holdfast restore web-01 --point 2026-11-21T02:41:10Z --name web-01-old --to lab --check',
    'holdfast restore web-01 --in-place --confirm web-01',
    'holdfast restore web-01 --in-place --confirm web-01 --disk virtio1',
    'holdfast restore web-01 --repository offsite --name web-01-restored',
  ])
  return command.action(async (name: string, options: Options) => {
    const io = ioOf(command)
    const api = io.api()
    const vm = await findVm(api, name)
    const point = await findPoint(api, vm.id, options.point)
    const body = {
      pointId: point.id,
      ...(options.repository !== undefined && { repositoryId: options.repository }),
      target: targetOf(vm, options),
      ...disksOf(options),
      identity: options.sameIdentity ? 'same' : 'new',
      ...(options.start !== undefined && { powerOn: options.start }),
      reason: options.reason,
    } as const
    if (options.check) {
      const checks = await ask(api.POST('/restores/checks', { body }))
      io.answer(checks, () => checksText(checks, styleOf(io.hasColor)))
      if (checks.blocked) io.end(exit.failed)
      return
    }
    if (!options.yes && io.world.stdin.isTTY && io.isLive)
      await lookFirst(
        api,
        body,
        (text) => io.say(text),
        (question) => io.confirm(question, 'Repeat with --yes.'),
      )
    const run = await ask(api.POST('/restores', { params: keyHeader(options.key), body }))
    if (options.watch) {
      io.say(`Started ${run.workflowId}.`)
      io.end(await followRun(io, api, run.runId))
    } else io.answer(run, () => `Started ${run.workflowId}.\n  ${run.command}`)
  })
}

function disksOf({ disk, disks }: Options): Pick<Schemas['RestoreRequest'], 'disks'> {
  if (!disks && disk !== undefined)
    throw new HoldfastError('InvalidRequest', '--disk and --no-disks exclude each other')
  if (!disks) return { disks: [] }
  return disk === undefined ? {} : { disks: [...disk] }
}

function targetOf(vm: Schemas['VmDetail'], options: Options): Schemas['RestoreRequest']['target'] {
  if (options.inPlace) {
    if (options.name !== undefined || options.to !== undefined)
      throw new HoldfastError('InvalidRequest', '--in-place goes with neither --name nor --to')
    if (options.confirm !== vm.name) {
      throw new HoldfastError('InvalidRequest', `this replaces the disks of ${vm.name}`, {
        hint: `Say so with --confirm ${vm.name}`,
      })
    }
    return { kind: 'original', confirmName: options.confirm }
  }
  if (options.name === undefined)
    throw new HoldfastError('InvalidRequest', 'where to?', { hint: 'Give --name for a new VM, or --in-place.' })
  return { kind: 'new', hypervisorId: options.to ?? vm.hypervisorId, name: options.name }
}

/** A person sees what will happen before it does. */
async function lookFirst(
  api: ApiClient,
  body: Schemas['RestoreRequest'],
  say: (text: string) => void,
  confirm: (question: string) => Promise<void>,
): Promise<void> {
  const checks = await ask(api.POST('/restores/checks', { body }))
  say(checksText(checks, styleOf(false)))
  if (checks.blocked) throw new HoldfastError('PreflightBlocked', 'a check blocks this restore')
  await confirm('Restore now?')
}

function checksText(checks: Schemas['RestoreChecks'], style: Style): string {
  const words = { info: 'know this', warning: 'know this', blocking: 'BLOCKS' }
  return [
    ...checks.findings.flatMap((finding) => [
      `${style.tone(finding.severity === 'blocking' ? 'failed' : 'attention', words[finding.severity])}: ${plain(finding.message)}`,
      `  ${plain(finding.hint)}`,
    ]),
    ...checks.passed.map((one) => `${style.tone('ok', 'passed')}: ${plain(one.title)}. ${plain(one.detail)}`),
    '',
    'Does:',
    ...checks.does.map((line) => `  ${plain(line)}`),
    'Does not touch:',
    ...checks.doesNotTouch.map((line) => `  ${plain(line)}`),
    `Can be undone: ${checks.undo}`,
    ...(checks.estimateSeconds === null ? [] : [`Ready after about ${formatDuration(checks.estimateSeconds * 1000)}`]),
  ].join('\n')
}
