import { randomBytes } from 'node:crypto'
import { createWriteStream, lstatSync } from 'node:fs'
import { link, rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describeError, formatBytes, HoldfastError } from '../../base/index.ts'
import { exit } from '../exit-codes.ts'
import type { Io } from '../io.ts'

/**
 * Writes a download to a new file, or to stdout. What is cut off leaves no file behind. `notWhole`: name of the member of an
 * archive that tells what is missing, and the bytes that show it; an archive that has it ends the command with a failure.
 */
export async function keepStream(
  io: Io,
  body: unknown,
  output: string | undefined,
  notWhole: { readonly member: string; readonly mark: string } | null,
): Promise<void> {
  if (!(body instanceof ReadableStream)) throw new HoldfastError('ServerUnreachable', 'the server sent no stream')
  const look = new LookFor(notWhole?.mark ?? null)
  let bytes = 0
  const source = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const part of Readable.fromWeb(body)) {
      const data = part as Uint8Array
      bytes += data.length
      look.at(data)
      yield data
    }
  }
  let isMade = false
  // Of its own, whatever lies there.
  const part = `${output ?? ''}.${randomBytes(4).toString('hex')}.part`
  try {
    if (output === undefined) {
      const out = io.world.bytes?.() ?? (io.world.stdout as NodeJS.WritableStream)
      // A guest's bytes can steer a terminal.
      if ('isTTY' in out && out.isTTY === true)
        throw new HoldfastError('InvalidRequest', 'a download is not written to a terminal', {
          hint: 'Name a file with -o, or pipe it.',
        })
      await pipeline(Readable.from(source()), out, { end: false, signal: io.world.signal })
    } else {
      if (isThere(output)) throw existsAlready(output)
      // Until it is whole it has another name, also after a kill.
      const file = createWriteStream(part, { flush: true, flags: 'wx' })
      file.once('open', () => (isMade = true))
      await pipeline(Readable.from(source()), file, { signal: io.world.signal })
      await nameIt(part, output)
    }
  } catch (error) {
    if (isMade) await rm(part, { force: true })
    if (error instanceof HoldfastError) throw error
    throw new HoldfastError('SourceReadFailed', `the download was cut off: ${describeError(error)}`, {
      cause: error,
      hint: 'Nothing of it is kept. Try again; if it ends at the same place, the volume is damaged there.',
    })
  }
  io.say(`${formatBytes(bytes)}${output === undefined ? '' : ` in ${output}`}`)
  if (look.found) {
    io.say(`The archive is not whole: its member ${notWhole?.member ?? ''} tells what is missing.`)
    io.end(exit.failed)
  }
}

/** A file that is there is nobody's to overwrite, also one that came a moment ago: a hard link refuses a name that is taken. */
async function nameIt(part: string, output: string): Promise<void> {
  try {
    await link(part, output)
    await rm(part)
  } catch (error) {
    if (isThere(output)) throw existsAlready(output)
    if (!noLinks.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    await rename(part, output)
  }
}

/** What file systems without hard links answer. */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES', 'EMLINK'])

/** Also a link that leads nowhere. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function existsAlready(path: string): HoldfastError {
  return new HoldfastError('InvalidRequest', `${path} exists already`, { hint: 'Choose another name.' })
}

/** Whether a stream holds a name, also over the seam of two parts. */
class LookFor {
  readonly #wanted: Buffer | null
  #tail = Buffer.alloc(0)
  found = false

  constructor(text: string | null) {
    this.#wanted = text === null ? null : Buffer.from(text)
  }

  at(part: Uint8Array): void {
    if (this.#wanted === null || this.found) return
    const joined = Buffer.concat([this.#tail, part])
    this.found = joined.includes(this.#wanted)
    this.#tail = joined.subarray(-this.#wanted.length)
  }
}
