import { writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { Command } from 'commander'
import { formatBytes } from '../../base/index.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { makeBundle } from '../support/bundle.ts'
import { examples, type Verb } from './common.ts'

const compress = promisify(gzip)

export const supportBundle: Verb = (ioOf) => {
  const command = new Command('support-bundle').description(
    'one file for whoever helps: versions, doctor, configuration, recent runs and logs, without secrets',
  )
  examples(command, [
    'holdfast support-bundle',
    'holdfast support-bundle --out /tmp/holdfast.json.gz',
    'zcat holdfast-support-*.json.gz | less',
  ])
  return command
    .option('--out <file>', 'a new file; default: holdfast-support-TIME.json.gz here')
    .action(async ({ out }: { out?: string }) => {
      const io = ioOf(command)
      io.say('reading the server and the logs')
      const bundle = await makeBundle(io, packageJson.version)
      const time = new Date(bundle.madeMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')
      const file = out ?? `holdfast-support-${time}.json.gz`
      const bytes = await compress(JSON.stringify(bundle, null, 1))
      writeFileSync(file, bytes, { mode: 0o600, flag: 'wx' })
      io.answer({ file, bytes: bytes.length }, () =>
        [
          `${file}: ${formatBytes(bytes.length)}.`,
          ...bundle.unknownSecrets.map((what) => `Not known: ${what}.`),
          ...(bundle.unknownSecrets.length > 0
            ? [
                'So of the logs only times, levels and the words of the program are in it. Run it as who may read these secrets to have them whole.',
              ]
            : []),
          'Secrets that are known here were taken out. Names of VMs, hosts and paths are in it: look before you send it (zcat).',
        ].join('\n'),
      )
    })
}
