import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Directory of one test; its path is short enough for UNIX sockets. */
export async function scratchDirectory(): Promise<
  AsyncDisposable & { readonly path: string; file(name: string): string }
> {
  const path = await mkdtemp(join(tmpdir(), 'hf-nbd-'))
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }),
  }
}

/** Polls until `check` holds. A condition that never comes fails with its description. */
export async function eventually(
  what: string,
  check: () => boolean | Promise<boolean>,
  within = 10_000,
): Promise<void> {
  const deadline = Date.now() + within
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`not within ${within} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export interface Running extends AsyncDisposable {
  readonly child: ChildProcess
  /** SIGKILL, and gone when it resolves. */
  kill(): Promise<void>
}

/** A real peer. The kernel ends it when this process dies in whatever way (`setpriv --pdeathsig`). */
export async function startPeer(socket: string, command: string, args: readonly string[]): Promise<Running> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (data: Buffer) => (said += data.toString()))
  child.stdout.resume()
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  try {
    await eventually(`${command} listens at ${socket}`, async () => {
      if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}: ${said}`)
      return await accepts(socket)
    })
  } catch (error) {
    await kill()
    throw error
  }
  return { child, kill, [Symbol.asyncDispose]: kill }
}

async function accepts(path: string): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const probe = connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}

/** Runs a program to its end; rejects with what it said if it fails. */
export async function run(command: string, ...args: readonly string[]): Promise<string> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${err}${out}`)
  return out
}
