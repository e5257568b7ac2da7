import { Command, Option } from 'commander'
import { extname } from 'node:path'
import { HoldfastError, describeError, formatBytes, isHoldfastError } from '../../base/index.ts'
import { imageFormats, type ImageFormat } from '../../images/types.ts'
import { ask, type ApiClient } from '../client/index.ts'
import type { Io } from '../io.ts'
import { Progress } from '../repo/progress.ts'
import { findPoint, findVm } from './common.ts'
import { whenOpen } from './open-session.ts'

interface Options {
  readonly disk?: string
  readonly format?: ImageFormat
  readonly force?: boolean
  readonly reason: string
}

/** A disk of a point as an image, through the server: opens the point for its disks, takes one, and closes it again. */
export function exportVerb(ioOf: (command: Command) => Io): Command {
  return new Command('export')
    .description('write a disk as an image: raw, qcow2, vmdk, vhdx or vhd; holes stay holes')
    .argument('<vm>', 'id or name')
    .argument('<point>', 'latest, its id or the beginning of it, or the time it stands at')
    .argument('<file>', 'a new file, for raw also a block device (with --force), or - for stdout')
    .option('--disk <key>', 'which; may be left out where there is one')
    .addOption(new Option('--format <format>', 'default: by the ending of the file, else raw').choices(imageFormats))
    .option('-f, --force', 'replace what is there')
    .option('--reason <text>', 'shown in the runbook', '')
    .action(async (name: string, which: string, file: string, options: Options, self: Command) => {
      const io = ioOf(self)
      if (file === '-' && io.world.stdout.isTTY)
        throw new HoldfastError('InvalidRequest', 'a disk image on a terminal helps nobody', {
          hint: 'Send it into a file or a pipe.',
        })
      const api = io.api()
      const { id } = await findPoint(api, (await findVm(api, name)).id, which)
      const disk = await diskOf(api, id, options.disk)
      const body = {
        pointId: id,
        disks: [disk],
        view: 'disks' as const,
        idleMinutes: 15,
        reason: options.reason,
        tuning: {},
      }
      const run = await ask(api.POST('/files', { body }))
      const session = run.workflowId.slice('files/'.length)
      try {
        await whenOpen(io, api, session)
        await take(io, api, session, {
          disk,
          file,
          force: options.force === true,
          format: formatOf(file, options.format),
        })
      } finally {
        await close(io, api, session)
      }
    })
}

async function diskOf(api: ApiClient, id: string, wanted: string | undefined): Promise<string> {
  const { disks } = await ask(api.GET('/points/{id}', { params: { path: { id } } }))
  const keys = disks.map(({ disk }) => disk)
  const [only, ...others] = keys
  if (wanted === undefined && only !== undefined && others.length === 0) return only
  if (wanted !== undefined && keys.includes(wanted)) return wanted
  const what = wanted === undefined ? `the point has ${keys.length} disks` : `the point has no disk ${wanted}`
  throw new HoldfastError(wanted === undefined ? 'InvalidRequest' : 'NotFound', what, {
    hint: `Say --disk, one of ${keys.join(', ')}.`,
  })
}

function formatOf(file: string, wanted: ImageFormat | undefined): ImageFormat {
  return wanted ?? imageFormats.find((format) => extname(file) === `.${format}`) ?? 'raw'
}

async function take(
  io: Io,
  api: ApiClient,
  session: string,
  wish: { readonly disk: string; readonly format: ImageFormat; readonly file: string; readonly force: boolean },
): Promise<void> {
  const { disk, format, file, force } = wish
  const params = { path: { session }, query: { disk, format } }
  const answer = api.GET('/files/{session}/image', { params, parseAs: 'stream' })
  const data: unknown = await ask(answer)
  if (!(data instanceof ReadableStream)) throw new HoldfastError('ServerUnreachable', 'the server sent no stream')
  const { response } = await answer
  const length = response.headers.get('content-length')
  const size = length === null ? null : Number(length)
  const progress = new Progress(io, disk)
  const { saveImage } = await import('../repo/export.ts')
  const target =
    file === '-' ? { stream: io.world.bytes?.() ?? (io.world.stdout as NodeJS.WritableStream) } : { file, force }
  try {
    const stream = data as AsyncIterable<Uint8Array>
    const { bytes } = await saveImage(format, { size, stream }, target, io.world.signal, (now) =>
      progress.bytes(now, size ?? now),
    )
    progress.end()
    const text = `${formatBytes(bytes)} of ${format}, every chunk checked`
    if (file === '-') io.say(text)
    else io.answer({ file, disk, format, bytes, session }, () => `${file}: ${text}`)
  } catch (thrown) {
    progress.end()
    if (isHoldfastError(thrown)) throw thrown
    throw new HoldfastError('SourceReadFailed', `the export was cut off: ${describeError(thrown)}`, {
      cause: thrown,
      hint: `Nothing of it is kept. Look at the run: holdfast run show files/${session}`,
    })
  }
}

/** Forgotten it closes by itself; what comes of it changes nothing of what was exported. */
async function close(io: Io, api: ApiClient, session: string): Promise<void> {
  try {
    await ask(api.POST('/files/{session}/end', { params: { path: { session } }, body: { reason: '' } }))
  } catch (error) {
    io.say(`The point stays open until nobody has used it for a while: ${describeError(error)}`)
  }
}
