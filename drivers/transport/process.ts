import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** A process as nobody else can be it: `started` is its start time in clock ticks since boot (proc(5), field 22). */
export interface ProcessIdentity {
  readonly pid: number
  readonly started: string
}

/** null: no such process, or a zombie that only waits to be reaped. Other failures to read are thrown, never "absent". */
export async function identify(pid: number): Promise<ProcessIdentity | null> {
  const stat = await readProc(pid, 'stat')
  if (stat === null) return null
  // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, started] = [fields[0], fields[19]]
  if (state === undefined || started === undefined) throw new Error(`unexpected /proc/${pid}/stat: ${stat}`)
  return state === 'Z' || state === 'X' ? null : { pid, started }
}

/** Arguments of a process; null if it is gone. */
export async function argumentsOf(pid: number): Promise<readonly string[] | null> {
  const text = await readProc(pid, 'cmdline')
  return text === null || text === '' ? null : text.split('\0').slice(0, -1)
}

/** True while exactly this process lives; a reused pid is another process. */
export async function isAlive(who: ProcessIdentity): Promise<boolean> {
  return (await identify(who.pid))?.started === who.started
}

/** Signals exactly this process. Returns false if it is gone. */
export async function signalProcess(who: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(who))) return false
  try {
    process.kill(who.pid, signal)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** Waits until the process is gone. Returns false if it still lives after `limit` milliseconds. */
export async function waitForExit(who: ProcessIdentity, limit: number): Promise<boolean> {
  const deadline = Date.now() + limit
  for (;;) {
    if (!(await isAlive(who))) return true
    if (Date.now() >= deadline) return false
    await sleep(20)
  }
}

async function readProc(pid: number, file: string): Promise<string | null> {
  try {
    return await readFile(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    // ESRCH: the process ended between open and read.
    if (code === 'ENOENT' || code === 'ESRCH') return null
    throw error
  }
}
