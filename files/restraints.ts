import { requireProgram } from '../drivers/transport/index.ts'

/** Nobody on Debian; the process can read nothing but what it was handed. */
const nobody = 65_534
/** Guest, translated code and QEMU itself; more is refused by the kernel. */
const addressSpaceMiB = 2_048

/**
 * What stands in front of a command line, so that the process ends with us, may become nothing more than it is, and takes
 * no more memory than this; `limits` are further ones of prlimit. As nobody where we are root, else as ourselves: only
 * root may become another user. Between fork and prctl(2) we may die unnoticed; so the shell in between compares its
 * parent with us. The signal is asked for after the change of user, which would take it back. Throws PackageMissing.
 */
export function restrained(user: 'nobody' | 'ourselves', limits: readonly string[]): readonly string[] {
  for (const needed of ['setpriv', 'prlimit']) requireProgram(needed)
  const change =
    user === 'nobody' && process.getuid?.() === 0
      ? [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--inh-caps=-all', '--bounding-set=-all']
      : []
  const check = '[ "$PPID" = "$1" ] || exit 125; shift; exec "$@"'
  return [
    ...['setpriv', ...change, '--no-new-privs', '--'],
    ...['setpriv', '--pdeathsig', 'KILL', '--', 'sh', '-c', check, 'sh', String(process.pid)],
    ...['prlimit', `--as=${addressSpaceMiB * 1024 * 1024}`, '--core=0', ...limits, '--'],
  ]
}
