import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import process from 'node:process'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
const numbers = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

/**
 * Runs a program in front: its output is ours, signals go on to it, and it never outlives this process: if this one is
 * killed the kernel sends it SIGTERM. It has a session of its own, so Ctrl-C comes once, from here, and what it leaves
 * in its process group can be ended with it. Resolves to its exit code, 128 + n where a signal ended it.
 */
export async function runInFront(program, args, options = {}) {
  const [file, ...rest] = [...supervision(), program, ...args]
  const forward = (signal) => child.kill(signal)
  // Before the child: it may say that it is ready, and be told to end, before `spawn` returns to us.
  for (const signal of signals) process.on(signal, forward)
  const child = spawn(file, rest, { stdio: ['ignore', 'inherit', 'inherit'], ...options, detached: true })
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => resolve(code ?? 128 + (numbers[signal] ?? 0)))
    })
  } finally {
    for (const signal of signals) process.off(signal, forward)
    sweep(child.pid)
  }
}

/** As `spawnSupervised` of drivers/transport, with a milder signal: the child decides how to end. */
function supervision() {
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((file) => existsSync(file))
  if (setpriv === undefined) return []
  // Between fork and PR_SET_PDEATHSIG (prctl(2)) the parent may die unnoticed.
  const check = '[ "$PPID" = "$1" ] || exit 125; shift; exec "$@"'
  return [setpriv, '--pdeathsig', 'TERM', '--', 'sh', '-c', check, 'sh', String(process.pid)]
}

function sweep(group) {
  if (group === undefined) return
  try {
    process.kill(-group, 'SIGTERM')
  } catch (error) {
    // Nothing is left of it: as it should be.
    if (error.code !== 'ESRCH') throw error
  }
}
