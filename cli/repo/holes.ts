import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { SourceExtent } from '../../repository/index.ts'

/**
 * The extents of a raw file in [start, end), holes as zeros, as `qemu-img map` finds them (SEEK_HOLE, which Node does not
 * have). What it does not tell, because it is not installed or ends early, counts as data: that only costs reading it.
 */
export async function* extentsOf(
  file: string,
  start: number,
  end: number,
  signal: AbortSignal,
): AsyncGenerator<SourceExtent> {
  let at = start
  if (end > start) {
    for await (const extent of mapped(file, start, end, signal)) {
      if (extent.offset !== at || extent.offset + extent.length > end) break
      yield extent
      at += extent.length
    }
  }
  signal.throwIfAborted()
  if (at < end) yield { offset: at, length: end - at, kind: 'data' }
}

async function* mapped(file: string, start: number, end: number, signal: AbortSignal): AsyncGenerator<SourceExtent> {
  const range = [`--start-offset=${start}`, `--max-length=${end - start}`]
  const child = spawn('qemu-img', ['map', '--output=json', '-f', 'raw', ...range, '--', file], {
    stdio: ['ignore', 'pipe', 'ignore'],
    signal,
  })
  const ended = once(child, 'close').catch((error: unknown) => error)
  try {
    // One object a line, however many there are.
    for await (const line of createInterface({ input: child.stdout })) {
      const extent = parseLine(line)
      if (extent) yield extent
    }
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

function parseLine(line: string): SourceExtent | undefined {
  const object = /\{.*\}/.exec(line)?.[0]
  if (object === undefined) return undefined
  const { start, length, zero } = JSON.parse(object) as { start: number; length: number; zero: boolean }
  return { offset: start, length, kind: zero ? 'zero' : 'data' }
}
