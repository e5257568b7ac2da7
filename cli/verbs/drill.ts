import { Command, Option } from 'commander'
import { ask } from '../client/index.ts'
import { followRun } from '../follow.ts'
import { examples, findPoint, findVm, keyHeader, type Verb } from './common.ts'
import { readChecks } from './drill-checks.ts'
import { evidenceKeys, exportEvidence, verifyEvidence } from './drill-evidence.ts'

interface Options {
  readonly point: string
  readonly on?: string
  readonly from: 'disks' | 'repository'
  readonly checks?: string
  readonly reason: string
  readonly key?: string
  readonly watch?: boolean
}

export const drill: Verb = (ioOf) => {
  const command = new Command('drill')
    .description('prove that a point comes back: restore it in isolation, boot it, check it, destroy it')
    .argument('<vm>', 'id or name')
    .option('--point <point>', 'latest, id, or time', 'latest')
    .option('--on <hypervisor>', 'where to boot; default: where the VM lives')
    .addOption(
      new Option(
        '--from <what>',
        'restored disks, or the repository itself: as an instant restore boots; what the boot reads first is noted',
      )
        .choices(['disks', 'repository'])
        .default('disks'),
    )
    .option('--checks <file>', 'JSON list of what is asked this time; default: what is kept with the VM (drill-checks)')
    .option('--reason <text>', 'shown in the runbook', '')
    .option('--key <text>', 'Idempotency-Key: repeating the command starts nothing twice')
    .option('-w, --watch', 'follow it to its end; ends with 0 only if the point was proven')
  examples(command, [
    'holdfast drill web-01 --watch',
    'holdfast drill web-01 --point 2026-11-21T02:41:10Z --checks checks.json',
    'holdfast drill web-01 --from repository --watch',
    'holdfast drill export web-01 proof.html',
    'holdfast drill verify proof.html',
  ])
  command.addCommand(exportEvidence(ioOf)).addCommand(verifyEvidence(ioOf)).addCommand(evidenceKeys(ioOf))
  return command.action(async (name: string, options: Options) => {
    const io = ioOf(command)
    const api = io.api()
    const vm = await findVm(api, name)
    const point = await findPoint(api, vm.id, options.point)
    const run = await ask(
      api.POST('/drills', {
        params: keyHeader(options.key),
        body: {
          pointId: point.id,
          from: options.from,
          reason: options.reason,
          ...(options.on !== undefined && { hypervisorId: options.on }),
          ...(options.checks !== undefined && { checks: readChecks(options.checks) }),
        },
      }),
    )
    if (options.watch) {
      io.say(`Started ${run.workflowId}.`)
      io.end(await followRun(io, api, run.runId))
    } else io.answer(run, () => `Started ${run.workflowId}.\n  ${run.command}`)
  })
}
