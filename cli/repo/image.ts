import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, realpath, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { bytes, describeError, HoldfastError } from '../../base/index.ts'
import { ALLOCATION_CONTEXT, AllocationFlag, connectNbd, walkContext, type NbdClient } from '../../nbd/index.ts'
import { lookAtImage, qemuName, type ImageFormat } from '../../images/index.ts'
import type { DiskSource } from '../../repository/index.ts'
import { extentsOf } from './holes.ts'

export interface OpenImage extends AsyncDisposable {
  readonly format: ImageFormat
  readonly source: DiskSource
}

/**
 * Opens a disk image for reading: raw directly, what has a format through qemu-nbd, which knows it. Only this file is read:
 * one whose header names others is refused before anything opens it.
 */
export async function openImage(file: string, signal: AbortSignal): Promise<OpenImage> {
  const { format, references } = await lookAtImage(file)
  if (references.length > 0)
    throw new HoldfastError('Unsupported', `${file} is no disk by itself: it names ${references.join(', ')}`, {
      hint: 'Only what you name is read. Make one image of all of it first: qemu-img convert -O qcow2 FILE NEW.qcow2',
    })
  return format === 'raw' ? await openRaw(file) : await openFormatted(file, format, signal)
}

function requireSectors(file: string, size: number): number {
  if (size > 0 && size % 512 === 0) return size
  throw new HoldfastError('SizeMismatch', `${file} has ${size} bytes, which is no whole number of sectors`, {
    hint: 'Is it a disk image? If so, round it up: truncate -s %512 FILE.',
  })
}

async function openRaw(file: string): Promise<OpenImage> {
  const handle = await open(file, 'r')
  try {
    const info = await stat(file)
    const isDevice = info.isBlockDevice()
    const size = requireSectors(file, isDevice ? await deviceSize(file) : info.size)
    const source: DiskSource = {
      size,
      readable: 'all',
      maxInFlight: 4,
      async *extents(start, end, signal) {
        // A device does not tell where it was never written.
        if (isDevice) yield { offset: start, length: end - start, kind: 'data' }
        else yield* extentsOf(file, start, end, signal)
      },
      async read(at, into, signal) {
        for (let done = 0; done < into.byteLength;) {
          signal.throwIfAborted()
          const { bytesRead } = await handle.read(into, done, into.byteLength - done, at + done)
          if (bytesRead === 0) throw new HoldfastError('SourceReadFailed', `${file} became shorter while it was read`)
          done += bytesRead
        }
      },
    }
    return { format: 'raw', source, [Symbol.asyncDispose]: () => handle.close() }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** `stat` says 0 for devices. `/dev/vg/lv` and `/dev/disk/by-id/…` are links to the device that the kernel knows. */
export async function deviceSize(file: string, sysfs = '/sys/class/block'): Promise<number> {
  const device = basename(await realpath(file))
  try {
    await using handle = await open(join(sysfs, device, 'size'), 'r')
    return Number(await handle.readFile('utf8')) * 512
  } catch (error) {
    throw new HoldfastError('SourceReadFailed', `the size of ${file} (device ${device}) is not known`, {
      cause: error,
      hint: `Is ${sysfs} there? In a container it may be hidden: import an image of the device instead.`,
    })
  }
}

async function openFormatted(file: string, format: ImageFormat, signal: AbortSignal): Promise<OpenImage> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-import-'))
  await using undo = new AsyncDisposableStack()
  undo.defer(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'nbd')
  const server = spawn(
    'qemu-nbd',
    ['--read-only', '--persistent', '--shared=4', `--format=${qemuName(format)}`, `--socket=${path}`, '--', file],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let said = ''
  server.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
  const ended = once(server, 'exit').catch((error: unknown) => error)
  undo.defer(async () => {
    server.kill('SIGTERM')
    await ended
  })
  const client = await connectWhenReady(path, server, () => said, file, signal)
  undo.use(client)
  const source = nbdSource(client, requireSectors(file, client.size))
  const owned = undo.move()
  return { format, source, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function connectWhenReady(
  path: string,
  server: ReturnType<typeof spawn>,
  said: () => string,
  file: string,
  signal: AbortSignal,
): Promise<NbdClient> {
  let failed: unknown
  server.once('error', (error) => (failed = error))
  for (let tries = 0; ; tries += 1) {
    if ((failed as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
      throw new HoldfastError(
        'PackageMissing',
        'qemu-nbd is needed to read images other than raw and is not installed',
        {
          hint: 'apt install qemu-utils, or convert the image first: qemu-img convert -O raw FILE FILE.raw',
        },
      )
    }
    if (failed !== undefined || server.exitCode !== null) {
      throw new HoldfastError(
        'SourceReadFailed',
        `qemu-nbd cannot open ${file}: ${said().trim() || describeError(failed)}`,
      )
    }
    try {
      return await connectNbd({
        address: { kind: 'unix', path },
        exportName: '',
        contexts: [ALLOCATION_CONTEXT],
        signal,
      })
    } catch (error) {
      if (tries >= 100 || signal.aborted) throw error
    }
    await delay(50, undefined, { signal })
  }
}

function nbdSource(client: NbdClient, size: number): DiskSource {
  return {
    size,
    readable: 'all',
    maxInFlight: 4,
    async *extents(start, end, signal) {
      const range = { start: bytes(start), end: bytes(end) }
      if (!client.contexts.includes(ALLOCATION_CONTEXT)) {
        yield { offset: start, length: end - start, kind: 'data' }
        return
      }
      for await (const span of walkContext(client, ALLOCATION_CONTEXT, range, signal)) {
        const isZero = (span.flags & AllocationFlag.ZERO) !== 0
        yield { offset: span.offset, length: span.length, kind: isZero ? 'zero' : 'data' }
      }
    },
    read: (at, into, signal) => client.read(bytes(at), into, { signal }),
  }
}
