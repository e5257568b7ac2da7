import { closeSync, openSync } from 'node:fs'
import { chmod, mkdir, readFile, rm, rmdir, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError } from '../../base/index.ts'
import {
  argumentsOf,
  identify,
  isAlive,
  signalProcess,
  spawnSupervised,
  waitForExit,
  type Lifetime,
  type ProcessIdentity,
} from '../transport/index.ts'
import {
  QEMU_PROGRAM,
  commandLine,
  fitsSockets,
  runPaths,
  type CommandLineOptions,
  type RunPaths,
} from './command-line.ts'
import { readDescription, writeDescription, type VmDescription } from './description.ts'

export interface LaunchOptions extends CommandLineOptions {
  readonly lifetime: Lifetime
  /** How long QEMU may take until its monitor answers. Milliseconds, default 20,000. */
  readonly limit?: number
  /** Sees what is about to be started, and throws if that is not what was meant. */
  readonly confirm?: (description: VmDescription) => void
}

export interface RunningVm {
  readonly process: ProcessIdentity
  readonly description: VmDescription
  readonly paths: RunPaths
}

/**
 * Starts the VM in this folder and waits until its monitor answers; with `paused` the guest waits for `cont`.
 * Throws `AlreadyRunning`, `PackageMissing`, or `Internal` with QEMU's own words when it ended at once. QEMU locks its
 * pid file before it touches sockets or disks, so of two starts at the same time one wins and nothing is harmed.
 */
export async function launch(vmDir: string, options: LaunchOptions): Promise<RunningVm> {
  const described = await readDescription(vmDir)
  options.confirm?.(described)
  const description = await withRunDir(vmDir, described)
  const paths = runPaths(vmDir, description)
  if ((await findRunning(vmDir, description)) !== null)
    throw new HoldfastError('AlreadyRunning', `VM “${description.name}” runs already`, { hint: 'Stop it first.' })
  const log = openSync(paths.log, 'w')
  let exit: string | undefined
  try {
    const child = spawnSupervised(QEMU_PROGRAM, commandLine(vmDir, description, options), options.lifetime, log)
    child.once('error', (error) => (exit = error.message))
    child.once('exit', (code, signal) => (exit = signal ?? `code ${code}`))
    child.unref()
    const deadline = Date.now() + (options.limit ?? 20_000)
    for (;;) {
      if (exit !== undefined) throw await startFailure(description, paths, `ended at once (${exit})`)
      const found = await findRunning(vmDir, description)
      if (found !== null && (await monitorAnswers(paths.qmp, 250))) return { process: found, description, paths }
      if (Date.now() >= deadline) {
        child.kill('SIGKILL')
        throw await startFailure(description, paths, 'did not answer in time')
      }
      await sleep(20)
    }
  } finally {
    closeSync(log)
  }
}

/**
 * The VM's process, or null if it does not run. QEMU writes the pid file; it is believed only if the process with
 * that pid was started with this very file, so a reused pid is never taken for the VM.
 */
export async function findRunning(vmDir: string, d: VmDescription): Promise<ProcessIdentity | null> {
  const { pid: file } = runPaths(vmDir, d)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new HoldfastError('AccessDenied', `cannot read ${file}`, { cause: error })
  }
  const pid = Number(text.trim())
  if (!Number.isSafeInteger(pid) || pid <= 1) return null
  const who = await identify(pid)
  const args = who && (await argumentsOf(pid))
  if (!who || !args || !(await startedWith(args, file, d.uuid))) return null
  return (await isAlive(who)) ? who : null
}

/**
 * The same file by inode, since its folder may be reached by several paths. A folder that was moved while its VM runs
 * is known by the uuid; a copy of the folder is not, because the file that the process names is still another one.
 */
async function startedWith(args: readonly string[], file: string, uuid: string): Promise<boolean> {
  const named = args[args.indexOf('-pidfile') + 1]
  if (!args.includes('-pidfile') || named === undefined) return false
  const [theirs, ours] = [await inode(named), await inode(file)]
  return theirs === null ? args[args.indexOf('-uuid') + 1] === uuid : theirs === ours
}

async function inode(file: string): Promise<string | null> {
  try {
    const { dev, ino } = await stat(file, { bigint: true })
    return `${dev}:${ino}`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new HoldfastError('AccessDenied', `cannot look at ${file}`, { cause: error })
  }
}

export interface StopOptions {
  /** `quit`: QEMU ends in order, disks flushed and bitmaps stored, the guest sees a power cut · `kill`: SIGKILL. */
  readonly how: 'quit' | 'kill'
  /** Milliseconds that an orderly end may take before SIGKILL, and SIGKILL before an error. Default 5,000. */
  readonly limit?: number
}

/** Ends the VM's process and removes its sockets. Returns how it ended; `not-running` is no error. */
export async function stop(vmDir: string, options: StopOptions): Promise<'not-running' | 'quit' | 'killed'> {
  const d = await readDescription(vmDir)
  const paths = runPaths(vmDir, d)
  const who = await findRunning(vmDir, d)
  const how = who === null ? 'not-running' : await end(who, options)
  // After kill -9 QEMU leaves them behind; nothing listens there any more.
  for (const file of [paths.qmp, paths.qmp2, paths.agent, paths.pid]) await rm(file, { force: true })
  if (paths.dir !== resolve(vmDir)) await removeEmpty(paths.dir)
  return how
}

/** The short folder may hold what a round of the driver still has to clear; then it stays. */
async function removeEmpty(dir: string): Promise<void> {
  try {
    await rmdir(dir)
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

/** SIGTERM makes QEMU end exactly as `quit` does (qemu_system_killed), whoever holds the monitor. */
async function end(who: ProcessIdentity, { how, limit = 5_000 }: StopOptions): Promise<'quit' | 'killed'> {
  if (how === 'quit' && (await signalProcess(who, 'SIGTERM')) && (await waitForExit(who, limit))) return 'quit'
  await signalProcess(who, 'SIGKILL')
  if (await waitForExit(who, limit)) return 'killed'
  throw new HoldfastError('StillInUse', `QEMU (pid ${who.pid}) does not end, not even by SIGKILL`, {
    hint: 'It waits for storage of the host; look at the kernel log.',
  })
}

/** QEMU greets each client as soon as its main loop runs: `{"QMP": …}` (QMP specification, 2.2). */
function monitorAnswers(path: string, limit: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const done = (answer: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => done(false), limit)
    socket.once('data', (data) => done(data.includes('"QMP"')))
    socket.once('error', () => done(false))
    socket.once('close', () => done(false))
  })
}

/** Where the folder's path is too long for a socket, a short one is chosen once and written down. */
async function withRunDir(vmDir: string, d: VmDescription): Promise<VmDescription> {
  const { dir } = runPaths(vmDir, d)
  if (dir === resolve(vmDir)) return d
  if (!fitsSockets(dir))
    throw new HoldfastError('ConfigInvalid', `${dir} is too long a path for a socket`, {
      hint: 'Set TMPDIR to a shorter path.',
    })
  await mkdir(dirname(dir), { recursive: true, mode: 0o700 })
  await mkdir(dir, { recursive: true, mode: 0o700 })
  for (const folder of [dirname(dir), dir]) {
    const { uid } = await stat(folder)
    if (d.runDir === undefined && uid !== process.getuid?.())
      throw new HoldfastError('AccessDenied', `${folder} belongs to another user`, {
        hint: 'Set TMPDIR to a folder of your own.',
      })
  }
  if (d.runDir !== undefined) return d
  await chmod(dir, 0o700)
  const placed = { ...d, runDir: dir }
  await writeDescription(vmDir, placed)
  return placed
}

async function startFailure(d: VmDescription, paths: RunPaths, what: string): Promise<HoldfastError> {
  const text = (await readFile(paths.log, 'utf8')).trim().slice(-2000)
  return new HoldfastError('Internal', `QEMU for VM “${d.name}” ${what}${text === '' ? '' : `: ${text}`}`, {
    hint: `Read ${paths.log}.`,
    native: { code: 'qemu', text },
  })
}
