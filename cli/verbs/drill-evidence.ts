import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { Command, Option } from 'commander'
import { describeError, formatDuration, HoldfastError } from '../../base/index.ts'
import type { EvidenceReport } from '../../evidence/index.ts'
import { ask, type ApiClient } from '../client/index.ts'
import { exit } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { plain } from '../render/style.ts'
import { pairs, table } from '../render/table.ts'
import { at } from '../render/words.ts'
import { examples, findVm } from './common.ts'
import { keepStream } from './keep-stream.ts'

type IoOf = (command: Command) => Io

/** A file of evidence out of the house. */
export function exportEvidence(ioOf: IoOf): Command {
  const command = new Command('export')
    .description('write the signed evidence of a drill into a file: a page to print or keep, or JSON')
    .argument('<drill>', 'id of the drill, or a VM: its newest one')
    .argument('[file]', 'a new file; default: stdout')
    .addOption(
      new Option('--format <format>', 'default: by the ending of the file, else html').choices(['html', 'json']),
    )
  examples(command, [
    'holdfast drill export web-01 proof.html',
    'holdfast drill export web-01.20261121t073352 proof.json',
  ])
  type Options = { readonly format?: 'html' | 'json' }
  return command.action(async (name: string, file: string | undefined, options: Options, self: Command) => {
    const io = ioOf(self)
    const api = io.api()
    const params = {
      path: { id: await drillIdOf(api, name) },
      query: { format: options.format ?? (extname(file ?? '') === '.json' ? ('json' as const) : ('html' as const)) },
    }
    const body: unknown = await ask(api.GET('/drills/{id}/document', { params, parseAs: 'stream' }))
    await keepStream(io, body, file, null)
  })
}

async function drillIdOf(api: ApiClient, name: string): Promise<string> {
  if (name.includes('.')) {
    const { data, response } = await api.GET('/drills/{id}', { params: { path: { id: name } } })
    if (response.ok && data) return data.id
  }
  const { id: vmId } = await findVm(api, name)
  const { items } = await ask(api.GET('/drills', { params: { query: { vmId, limit: 1 } } }))
  if (items[0]) return items[0].id
  throw new HoldfastError('NotFound', `no drill of ${vmId} has ended`, { hint: 'Drill it: holdfast drill VM' })
}

/** Needs no server where the key is named. */
export function verifyEvidence(ioOf: IoOf): Command {
  const command = new Command('verify')
    .description('whether an exported file is what was signed; ends with 0 only if it is. Needs no server with --trust')
    .argument('<file>', 'page or JSON')
    .option(
      '--trust <key>',
      'fingerprint of a key that you trust, or its PEM file; again for several. Default: those the server knows',
      (value: string, before: readonly string[] = []) => [...before, value],
    )
  examples(command, [
    'holdfast drill verify proof.html',
    'holdfast drill verify proof.json --trust "$FINGERPRINT"',
    'holdfast drill verify proof.json --trust evidence-key.pem',
  ])
  return command.action(async (file: string, { trust }: { readonly trust?: readonly string[] }, self: Command) => {
    const io = ioOf(self)
    const { evidenceKey, verifyFile } = await import('../../evidence/index.ts')
    const text = contentOf(file)
    const trusted = trust?.map((one) =>
      /^[0-9a-f]{64}$/i.test(one) ? one.toLowerCase() : evidenceKey(contentOf(one)).id,
    )
    const report = verifyFile(text, trusted ?? (await knownKeys(io.api())))
    io.answer(answerOf(report), () => reportText(report))
    if (!report.isGenuine) io.end(exit.failed)
  })
}

export function evidenceKeys(ioOf: IoOf): Command {
  return examples(new Command('keys'), ['holdfast drill keys', 'holdfast drill keys --rotate'])
    .description('the keys that evidence is signed with, by fingerprint; write the fingerprint down outside')
    .option('--rotate', 'sign with a new key from now on; earlier keys stay known')
    .option('--pem', 'the public keys themselves')
    .action(async ({ rotate, pem }: { readonly rotate?: true; readonly pem?: true }, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const keys = await ask(rotate ? api.POST('/evidence-keys') : api.GET('/evidence-keys'))
      io.answer(keys, () =>
        pem
          ? keys.items.map(({ publicKey }) => publicKey).join('')
          : table(keys.items, [
              { head: 'FINGERPRINT', cell: ({ id }) => id },
              { head: 'SIGNS', cell: ({ retiredMs }) => (retiredMs === null ? 'now' : `until ${at(retiredMs)}`) },
              { head: 'SINCE', cell: ({ firstMs }) => at(firstMs) },
              { head: 'DRILLS', cell: ({ drills }) => String(drills), right: true },
            ]),
      )
    })
}

async function knownKeys(api: ApiClient): Promise<string[]> {
  try {
    const { items } = await ask(api.GET('/evidence-keys'))
    return items.map(({ id }) => id)
  } catch (error) {
    throw new HoldfastError('ServerUnreachable', `which keys to trust is not known: ${describeError(error)}`, {
      cause: error,
      hint: 'Without a server, name the key: --trust FINGERPRINT, from where it was written down.',
    })
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new HoldfastError('InvalidRequest', `${path} cannot be read: ${describeError(error)}`, { cause: error })
  }
}

function answerOf({ isGenuine, problems, keyId, picture, document }: EvidenceReport): object {
  return { genuine: isGenuine, problems, key: keyId, picture, document }
}

const pictures: { readonly [state in EvidenceReport['picture']]: string } = {
  same: 'the one that was signed',
  none: 'none was taken',
  missing: 'not in this file; its hash was signed',
  changed: 'CHANGED',
}

/** What was signed comes from the document alone, never from what a page shows. */
function reportText({ isGenuine, problems, keyId, picture, document }: EvidenceReport): string {
  const facts =
    document === null
      ? []
      : [
          '',
          pairs([
            ['VM', plain(document.vm.name)],
            ['Point', `${document.point.id}${document.point.taken === null ? '' : `, taken ${document.point.taken}`}`],
            ['Verdict', document.verdict],
            ['Why', plain(document.why)],
            ['Back after', document.rtoSeconds === null ? 'not reached' : formatDuration(document.rtoSeconds * 1000)],
            ['Ended', document.ended],
            ['Signed', document.signed],
            ['Installation', plain(`${document.installation.name} (${document.installation.id})`)],
            ['Picture', pictures[picture]],
          ]),
        ]
  return [
    isGenuine ? `Genuine: signed with ${keyId}.` : 'NOT genuine:',
    ...problems.map((problem) => `  ${plain(problem)}`),
    ...facts,
  ].join('\n')
}
