import { isHoldfastError } from '../base/index.ts'
import { requireProgram, runProgram } from '../drivers/transport/index.ts'
import type { Sandbox } from './types.ts'

/** Nobody on Debian; the process can read nothing but what it was handed. */
const nobody = 65_534
/** Guest, translated code and QEMU itself; more is refused by the kernel. */
const addressSpaceMiB = 2_048

const isRoot = process.getuid?.() === 0
/** A network and System V memory of its own, with nothing in them. Who is not root needs a user namespace for that. */
const apart = ['unshare', ...(isRoot ? [] : ['--user']), '--net', '--ipc', '--']
let found: Promise<Sandbox> | undefined

/** How closed a machine is that we start here; asked once. Throws PackageMissing. */
export function sandboxHere(): Promise<Sandbox> {
  found ??= look()
  // What is missing may be installed meanwhile.
  found.catch(() => (found = undefined))
  return found
}

async function look(): Promise<Sandbox> {
  for (const needed of ['setpriv', 'prlimit', 'unshare', 'qemu-system-x86_64']) requireProgram(needed)
  const user = isRoot ? 'nobody' : 'own'
  try {
    const [program = '', ...args] = apart
    await runProgram(program, [...args, 'true'])
    return { user, isApart: true, whyNot: null }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return { user, isApart: false, whyNot: error.native?.text.trim() || error.message }
  }
}

/**
 * What stands in front of a command line, so that the process ends with us, may become nothing more than it is, has no
 * network where the kernel lets us say so, and takes no more memory than this; `limits` are further ones of prlimit. As
 * nobody where we are root, else as ourselves: only root may become another user. Between fork and prctl(2) we may die
 * unnoticed; so the shell in between compares its parent with us. The signal is asked for after the change of user, which
 * would take it back. Throws PackageMissing.
 */
export async function restrained(user: 'nobody' | 'ourselves', limits: readonly string[]): Promise<readonly string[]> {
  const { isApart } = await sandboxHere()
  const change =
    user === 'nobody' && isRoot
      ? [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--inh-caps=-all', '--bounding-set=-all']
      : []
  const check = '[ "$PPID" = "$1" ] || exit 125; shift; exec "$@"'
  return [
    ...(isApart ? apart : []),
    ...['setpriv', ...change, '--no-new-privs', '--'],
    ...['setpriv', '--pdeathsig', 'KILL', '--', 'sh', '-c', check, 'sh', String(process.pid)],
    ...['prlimit', `--as=${addressSpaceMiB * 1024 * 1024}`, '--core=0', ...limits, '--'],
  ]
}
