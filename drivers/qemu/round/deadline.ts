import { HoldfastError } from '../../../base/index.ts'
import type { AgentClient } from '../../qmp/index.ts'

/**
 * The thaw deadline inside the guest (drivers.md §5.2): armed before the freeze, it thaws the file systems by itself if
 * nobody takes it back, even if this worker, its host or the agent is gone by then.
 *
 * It is a shell that sleeps and then calls fsfreeze(8) on every mount, again and again for ten minutes, because a freeze
 * that was stuck may freeze further file systems after the deadline. Its file names the one deadline that is in force:
 * arming kills an older one, so that a leftover can never thaw a later round's freeze; taking it back removes the file.
 * Only the long option: busybox does not know `fsfreeze -u` (lab/README.md). It works on frozen file systems: it only reads, and writes to /run alone, which is in memory.
 */
const arm = `
f=/run/holdfast-deadline; n=$1; shift
command -v fsfreeze >/dev/null || { echo 'fsfreeze(8) is missing' >&2; exit 98; }
if [ -f "$f" ]; then
  read p <"$f"
  tr '\\000' ' ' <"/proc/$p/cmdline" 2>/dev/null | grep -q holdfast-deadline && kill -9 "$p"
fi
: >"$f" || exit 97
watch='
  f=$1; n=$2; shift 2; sleep "$n"; i=0
  while [ $i -lt 600 ] && read p <"$f" && [ "$p" = $$ ]; do
    for m; do fsfreeze --unfreeze "$m"; done
    i=$((i+1)); sleep 1
  done'
sh -c "$watch" holdfast-deadline "$f" "$n" "$@" >/dev/null 2>&1 </dev/null &
echo $! >"$f"
`
const disarm = `
f=/run/holdfast-deadline; [ -f "$f" ] || exit 0
read p <"$f"; rm -f "$f"
tr '\\000' ' ' <"/proc/$p/cmdline" 2>/dev/null | grep -q holdfast-deadline && kill -9 "$p"
exit 0
`

export interface Deadline {
  /** `performance.now()` at which the guest may have begun to thaw by itself, at the earliest. */
  readonly firesAt: number
}

/**
 * Arms the deadline: at most `limit` milliseconds from now, in whole seconds. Throws `GuestAgentDisabled` if the agent
 * may not run programs, `QuiesceFailed` if the guest has not what it needs.
 */
export async function armDeadline(
  agent: AgentClient,
  limit: number,
  mounts: readonly string[],
  signal: AbortSignal,
): Promise<Deadline> {
  const seconds = Math.max(1, Math.floor(limit / 1000))
  const started = performance.now()
  const result = await agent.exec('/bin/sh', ['-c', arm, 'holdfast-arm', String(seconds), ...mounts], 5_000, signal)
  if (result.exit !== 0)
    throw new HoldfastError(
      'QuiesceFailed',
      `no thaw deadline can be armed in the guest: ${result.err.trim() || `exit ${result.exit}`}`,
      {
        hint: 'Install util-linux (fsfreeze) in the guest, or allow freezing without a deadline for this endpoint.',
      },
    )
  return { firesAt: started + seconds * 1000 }
}

export async function disarmDeadline(agent: AgentClient): Promise<void> {
  await agent.exec('/bin/sh', ['-c', disarm, 'holdfast-disarm'], 5_000)
}
