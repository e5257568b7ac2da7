import { PassThrough } from 'node:stream'
import type { World } from '../io.ts'
import { runCli } from '../program.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs one command line as somebody without a server would, with `home` as HOLDFAST_HOME and nothing on stdin. */
export async function runOffline(home: string, argv: readonly string[], now: () => number = Date.now): Promise<Ran> {
  let out = ''
  let err = ''
  const world: World = {
    stdout: { write: (text) => (out += String(text)) },
    stderr: { write: (text) => (err += text) },
    stdin: new PassThrough(),
    env: { HOLDFAST_HOME: home },
    now,
    sleep: async () => {},
    signal: new AbortController().signal,
  }
  const code = await runCli([...argv], world, '0.1.0')
  return { code, out, err }
}
