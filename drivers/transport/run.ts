import { spawn } from 'node:child_process'
import { HoldfastError } from '../../base/index.ts'
import { requireProgram } from './supervise.ts'

export interface RunOptions {
  readonly cwd?: string
  readonly signal?: AbortSignal
  /** Milliseconds it may take, default 30 minutes; then it is killed. Nothing runs without an end (drivers.md R24). */
  readonly limit?: number
  /** Exit codes that are an answer rather than a failure. Default: 0 only. */
  readonly accept?: readonly number[]
  readonly env?: NodeJS.ProcessEnv
}

export interface RunResult {
  readonly exit: number
  readonly out: string
  readonly err: string
}

/**
 * Runs a program to its end. Throws `PackageMissing` if it is not there, `Cancelled` on abort and `HypervisorTimeout`
 * after `limit` (the child is killed), else `Internal` with the program's own words as `native`.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const file = requireProgram(program)
  options.signal?.throwIfAborted()
  const limit = options.limit ?? 30 * 60_000
  const late = AbortSignal.timeout(limit)
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    killSignal: 'SIGKILL',
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.env !== undefined && { env: options.env }),
    signal: options.signal === undefined ? late : AbortSignal.any([options.signal, late]),
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  const exit = await new Promise<number>((resolve, reject) => {
    child.once('error', (error) => reject(asFailure(program, error, late.aborted ? limit : null)))
    child.once('close', (code) => resolve(code ?? -1))
  })
  const result = { exit, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }
  if ((options.accept ?? [0]).includes(exit)) return result
  const text = (result.err.trim() || result.out.trim()).slice(-2000)
  throw new HoldfastError('Internal', `${program} ${args[0] ?? ''} failed (${exit}): ${text}`, {
    native: { code: String(exit), text },
  })
}

function asFailure(program: string, error: Error, late: number | null): HoldfastError {
  if (error.name === 'AbortError' && late !== null)
    return new HoldfastError('HypervisorTimeout', `${program} did not end within ${late} ms`, { cause: error })
  if (error.name === 'AbortError') return new HoldfastError('Cancelled', `${program} was cancelled`, { cause: error })
  return new HoldfastError('Internal', `${program} cannot be started: ${error.message}`, { cause: error })
}
