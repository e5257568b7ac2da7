import { Command, Option } from 'commander'
import { formatBytes, HoldfastError, locationText } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { exit } from '../exit-codes.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { ago, size } from '../render/words.ts'
import { byteSize, examples, listAll, type Verb } from './common.ts'

export const repository: Verb = (ioOf) => {
  const command = new Command('repository').description(
    'repositories that the server knows: add, list, test (to work on one offline: holdfast repo)',
  )
  examples(command, [
    'holdfast repository add main /srv/backup --credential file:/srv/secrets/main',
    'holdfast repository ls',
    'holdfast repository test main',
    'holdfast repository scrub main --budget 500GiB',
    'holdfast repository set offsite --stands-at paris --media object',
    'holdfast repository set offsite --site paris',
  ])
  command
    .command('add')
    .description('register one that `holdfast repo init` has made')
    .argument('<name>')
    .argument('<place>', 'directory or URL, as the workers of its site see it')
    .requiredOption('--credential <ref>', 'where workers find the passphrase: file:/path')
    .option('--site <site>', 'whose workers reach it', 'local')
    .addOption(mediaOption())
    .option('--stands-at <site>', 'where it stands, if that is not its site')
    .action(async (name: string, place: string, options: AddOptions, self: Command) => {
      const io = ioOf(self)
      const { parseLocation } = await import('../../repository/index.ts')
      const added = await ask(
        io.api().POST('/repositories', {
          body: {
            name,
            site: options.site,
            location: parseLocation(place),
            credentialRef: options.credential,
            ...describedBy(options),
          },
        }),
      )
      io.answer(added, () => `Registered ${added.id}. Test it: holdfast repository test ${added.id}`)
    })
  command
    .command('set')
    .description('say on what it lies and where that stands, and whose workers reach it from now on')
    .argument('<id>')
    .addOption(mediaOption())
    .option('--stands-at <site>', 'where it stands, as sites are called; its own site: none else is said')
    .option('--site <site>', 'whose workers reach it, for what begins from now on')
    .option('--credential <ref>', 'where these find the passphrase: file:/path')
    .action(async (id: string, options: SetOptions, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const params = { path: { id } }
      const { site, credential } = options
      const body = { ...describedBy(options), ...(site && { site }), ...(credential && { credentialRef: credential }) }
      if (Object.keys(body).length === 0)
        throw new HoldfastError('InvalidRequest', 'nothing was said', {
          hint: 'Give --media, --stands-at, --site or --credential.',
        })
      const one = await ask(api.PATCH('/repositories/{id}', { params, body }))
      io.answer(one, () => {
        const is = `${one.id} is on ${mediaWords[one.media]} and stands at ${one.standsAt ?? one.site}.`
        return site === undefined
          ? is
          : `${is}\nWorkers of ${one.site} reach it from now on. Try it: holdfast repository test ${one.id}`
      })
    })
  command
    .command('ls')
    .description('list them')
    .action(async (_options: object, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const { items, total } = await listAll(10_000, (page) =>
        ask(api.GET('/repositories', { params: { query: page } })),
      )
      io.answer({ items, total }, () =>
        table(items, [
          { head: 'REPOSITORY', cell: (one) => one.id },
          { head: 'SITE', cell: (one) => one.site },
          { head: 'STANDS AT', cell: (one) => one.standsAt ?? one.site },
          { head: 'MEDIA', cell: (one) => one.media },
          { head: 'POINTS', cell: (one) => String(one.points), right: true },
          { head: 'VMS', cell: (one) => String(one.vms), right: true },
          { head: 'STORED', cell: (one) => size(one.usage?.storedBytes), right: true },
          { head: 'FREE', cell: (one) => size(one.usage?.freeBytes), right: true },
          {
            head: 'MEASURED',
            cell: ({ usage, measuring }) =>
              `${usage ? ago(usage.measuredMs, io.world.now()) : 'never'}${measuring.error ? ', then failed' : ''}`,
          },
          {
            head: 'LAST TEST',
            cell: (one) => (one.test ? `${one.test.state} ${ago(one.test.testedMs, io.world.now())}` : 'never'),
          },
          { head: 'PLACE', cell: (one) => plain(locationText(one.location)) },
        ]),
      )
    })
  command
    .command('test')
    .description('write, read back, list, delete and measure from a worker of its site')
    .argument('<id>')
    .action(async (id: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const result = await ask(io.api().POST('/repositories/{id}/test', { params: { path: { id } } }))
      io.answer(result, () => testText(result))
      if (result.state === 'failed') io.end(exit.failed)
    })
  command
    .command('scrub')
    .description(
      'read a part of it every day by itself, what was read longest ago first; without options: how far it is',
    )
    .argument('<id>')
    .addOption(new Option('--budget <size>', 'read so many bytes a day').argParser(byteSize('--budget')))
    .addOption(
      new Option('--level <level>', 'hash every stored byte, or open every chunk as well')
        .choices(['data', 'full'])
        .default('data'),
    )
    .addOption(new Option('--off', 'nothing by itself').conflicts('budget'))
    .action(async (id: string, options: ScrubOptions, self: Command) => {
      const io = ioOf(self)
      const { budget, level, off } = options
      const params = { path: { id } }
      const scrub =
        budget === undefined && off === undefined
          ? (await ask(io.api().GET('/repositories/{id}', { params }))).scrub
          : await ask(
              io.api().PUT('/repositories/{id}/scrub', { params, body: { level, budgetBytes: budget ?? null } }),
            )
      io.answer(scrub, () => scrubText(scrub, io.world.now()))
    })
  return command
}

const mediaWords: { readonly [media in Schemas['Repository']['media']]: string } = {
  disk: 'disks',
  share: 'a share',
  object: 'an object store',
  removable: 'removable media',
}

function mediaOption(): Option {
  return new Option('--media <kind>', 'on what it lies').choices(Object.keys(mediaWords))
}

interface DescribeOptions {
  readonly media?: Schemas['Repository']['media']
  readonly standsAt?: string
}
interface SetOptions extends DescribeOptions {
  readonly site?: string
  readonly credential?: string
}
interface AddOptions extends DescribeOptions {
  readonly credential: string
  readonly site: string
}

function describedBy({ media, standsAt }: DescribeOptions): DescribeOptions {
  return { ...(media && { media }), ...(standsAt !== undefined && { standsAt }) }
}

interface ScrubOptions {
  readonly budget?: number
  readonly level: Schemas['ScrubLevel']
  readonly off?: true
}

function scrubText(scrub: Schemas['Scrub'], nowMs: number): string {
  const { level, budgetBytes, countedMs, bytes, readBytes, oldestMs, roundDays } = scrub
  const what = level === 'full' ? 'every chunk opened' : 'every byte hashed'
  const round = roundDays === null ? '' : `; all of it in ${roundDays} ${roundDays === 1 ? 'day' : 'days'}`
  const pace =
    budgetBytes === null ? 'Nothing is read by itself.' : `${formatBytes(budgetBytes)} a day, ${what}${round}.`
  if (countedMs === null || bytes === null || readBytes === null) return `${pace}\nNothing of it was counted yet.`
  const oldest = oldestMs === null ? '' : `, the oldest of that ${ago(oldestMs, nowMs)}`
  return `${pace}\nRead as a whole: ${formatBytes(readBytes)} of ${formatBytes(bytes)}${oldest}. Counted ${ago(countedMs, nowMs)}.`
}

function testText(test: Schemas['RepositoryTest']): string {
  const lines = test.checks.map(
    (check) => `${check.passed ? 'passed' : 'FAILED'}: ${plain(check.name)}. ${plain(check.detail)}`,
  )
  if (test.writeRate !== null && test.readRate !== null)
    lines.push(`writes ${formatBytes(test.writeRate)}/s, reads ${formatBytes(test.readRate)}/s`)
  if (test.error) lines.push(`Failed: ${plain(test.error.message)}`, `  ${plain(test.error.hint)}`)
  return lines.join('\n')
}
