import { PassThrough } from 'node:stream'
import { adminToken, type Bench } from '../api/testing/bench.ts'
import type { World } from './io.ts'
import { runCli } from './program.ts'

/** How a line of the command line ended, and what it wrote. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** The command line in this process, against the API of the bench in memory; nothing waits. */
export async function ran(here: Bench, argv: readonly string[], over: Partial<World> = {}): Promise<Ran> {
  const said = { out: '', err: '' }
  const code = await runCli(argv, { ...worldOf(here, said), ...over }, '0.1.0')
  return { code, ...said }
}

/** A world whose server is the bench; what is written is added to `said`. */
export function worldOf({ app, clock }: Bench, said: { out: string; err: string }): World {
  return {
    stdout: { write: (text) => void (said.out += String(text)) },
    stderr: { write: (text) => void (said.err += text) },
    stdin: new PassThrough(),
    env: { HOLDFAST_SERVER: 'http://holdfast.test', HOLDFAST_TOKEN: adminToken },
    fetch: async (request) => app.fetch(request),
    now: () => clock.ms,
    sleep: async () => undefined,
    signal: new AbortController().signal,
  }
}
