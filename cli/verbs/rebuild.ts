import { Command } from 'commander'
import { HoldfastError, formatDuration, locationText } from '../../base/index.ts'
import type { RebuildReport } from '../../server/index.ts'
import { exit } from '../exit-codes.ts'
import { plain } from '../render/style.ts'
import { readSecret, type SecretOptions } from '../repo/secret.ts'
import { examples, type Verb } from './common.ts'

interface RebuildVerbOptions extends SecretOptions {
  readonly repository: readonly string[]
  readonly installation?: string
  readonly dryRun?: boolean
  readonly reconcile?: boolean
}

export const rebuild: Verb = (ioOf) => {
  const command = new Command('rebuild').description(
    'bring hypervisors, VMs, points, runs and settings back into an empty HOLDFAST_HOME, from a repository and one key',
  )
  examples(command, [
    'holdfast rebuild --repository /srv/backup --recovery-key-file /root/recovery.key --dry-run',
    'holdfast rebuild --repository /srv/backup --passphrase-file /root/backup.pass',
    'holdfast rebuild --reconcile --repository /srv/backup --passphrase-file /root/backup.pass',
  ])
  return command
    .requiredOption('--repository <place...>', 'directory or URL; several if one secret opens them all')
    .option('--passphrase-file <file>', 'else it is asked for; kept among the secrets of the home for the workers')
    .option('--recovery-key-file <file>', 'open it with the recovery key instead')
    .option('--shares-file <file>', 'or with shares of a key, one in each line')
    .option('--escrow-key-file <file>', 'or with the private key of an escrow holder')
    .option('--installation <uuid>', 'whose catalog, or without any whose marks the VMs carry: 32 hex digits')
    .option('--dry-run', 'say what would come back, and change nothing')
    .option('--reconcile', 'compare the catalog that is here with the repository, instead of bringing one back')
    .action(async (options: RebuildVerbOptions) => {
      const io = ioOf(command)
      const { installation } = options
      if (installation !== undefined && !/^[0-9a-f]{32}$/.test(installation))
        throw new HoldfastError('InvalidRequest', 'an installation is named by 32 hex digits')
      const [{ rebuild: run }, { parseLocation }] = await Promise.all([
        import('../../server/index.ts'),
        import('../../repository/index.ts'),
      ])
      const report = await run({
        env: io.world.env,
        locations: options.repository.map((place) => parseLocation(place)),
        secret: await readSecret(io, options),
        installation,
        dryRun: options.dryRun === true,
        reconcile: options.reconcile === true,
        now: io.world.now,
        signal: io.world.signal,
        onProgress: (what) => io.say(what),
      })
      io.answer(report, () => textOf(report))
      const { missing, withoutToken, reconciled } = report
      if (missing.length + withoutToken.length > 0 || reconciled.some(({ unreadable }) => unreadable > 0))
        io.end(exit.partial)
    })
}

/** Tables that people ask about first; the others are in `--json`. */
const named: readonly (readonly [table: string, words: string])[] = [
  ['endpoints', 'hypervisors'],
  ['vms', 'VMs'],
  ['repositories', 'repositories'],
  ['points', 'recovery points'],
  ['runs', 'runs'],
  ['histories', 'histories of runs'],
  ['drills', 'drills'],
  ['plans', 'plans'],
  ['categories', 'categories'],
]

function textOf(report: RebuildReport): string {
  const { catalog, dryRun } = report
  const would = dryRun ? 'would come back' : 'came back'
  const rows = new Map(report.tables.map(({ table, rows: count }) => [table, count]))
  const lines = [
    catalog === null
      ? 'No catalog was found in the repository: everything is from its manifests alone.'
      : `The catalog of ${new Date(catalog.createdMs).toISOString()} from ${plain(locationText(catalog.location))} ${would}.`,
    ...report.skipped.map(({ stem, why }) => `A newer one cannot be used: ${stem}: ${plain(why)}`),
    ...named.flatMap(([table, words]) => {
      const count = rows.get(table)
      return count === undefined ? [] : [`  ${String(count).padStart(7)} ${words}`]
    }),
    ...report.reconciled.flatMap((one) => [
      `${one.repositoryId} at ${plain(locationText(one.location))}: ${one.added} points the catalog did not know, ${one.gone} that are gone${one.back > 0 ? `, ${one.back} that are there again` : ''}${one.unreadable > 0 ? `, ${one.unreadable} that cannot be read now` : ''}.`,
    ]),
    ...report.notLookedAt.map(
      (id) => `${id} was not looked at. With its secret: holdfast rebuild --reconcile --repository PLACE`,
    ),
    `${dryRun ? 'Nothing was changed' : `Done in ${report.home}`}; ${formatDuration(report.tookMs)}.`,
  ]
  const todo = [
    ...report.missing.map(({ kind, id, command }) => `the secret of ${kind} ${id} is not here: ${plain(command)}`),
    ...report.withoutAddress.map(
      (id) => `nobody knows where ${id} is: holdfast hypervisor set ${id} --address ADDRESS`,
    ),
    ...report.withoutToken.map(
      (name) => `workers of site ${name} on other machines need a new token: holdfast site token ${name}`,
    ),
    ...(dryRun ? [] : ['start it: holdfast up (or server and worker), then holdfast doctor']),
  ]
  return [...lines, 'Next:', ...todo.map((one, index) => `  ${index + 1}. ${one}`)].join('\n')
}
