/**
 * What a drill asks of a restored guest, as it is kept with a VM. Everything becomes a command that the guest's agent
 * runs: the network of a drill reaches nothing, so nobody asks from outside.
 */
interface Asked {
  readonly title: string
  /** Of one attempt. */
  readonly timeoutMs: number
  /** Asked again each second until it is right, for so long at most: services come up after the agent. 0: once. */
  readonly withinMs: number
}

export interface CommandCheck extends Asked {
  readonly kind: 'command'
  readonly path: string
  readonly args: readonly string[]
  readonly expectExit: number
  /** Regular expression (lines: `^` and `$` are theirs) that the output must match; null: any output is right. */
  readonly pattern: string | null
  /**
   * The first integer of the output is compared: with a number, or with what the newest drill of this VM that passed
   * has counted. `tolerance` is a share: 0.005 is ±0.5 %.
   */
  readonly count: { readonly expected: number | 'previous'; readonly tolerance: number } | null
  /** Run before all others, to make the guest fit for isolation; the rest is not asked unless it succeeds. */
  readonly prepares: boolean
}

/** Somebody listens on a TCP port of the guest (Linux: as the kernel tells). */
export interface PortCheck extends Asked {
  readonly kind: 'port'
  readonly port: number
}

/**
 * A page is fetched inside the guest, by its curl or wget; certificates are not judged, and a redirect is no page
 * (busybox's wget follows it).
 */
export interface HttpCheck extends Asked {
  readonly kind: 'http'
  readonly url: string
  readonly pattern: string | null
}

export type DrillCheckSpec = CommandCheck | PortCheck | HttpCheck

/** As it is kept; what an earlier version kept gets what it lacks. */
export function withUsual(kept: DrillCheckSpec): DrillCheckSpec {
  const asked = { timeoutMs: 60_000, withinMs: 0 }
  if (kept.kind === 'port') return { ...asked, ...kept }
  if (kept.kind === 'http') return { ...asked, ...kept, pattern: kept.pattern ?? null }
  const usual = { args: [], expectExit: 0, pattern: null, count: null, prepares: false }
  return { ...asked, ...usual, ...kept, kind: 'command' }
}

/** A command for the guest and what its answer must be. */
export interface GuestQuestion extends Asked {
  readonly path: string
  readonly args: readonly string[]
  readonly expectExit: number
  readonly pattern: string | null
  /** `expected` null: there is nothing to compare with yet. */
  readonly count: { readonly expected: number | null; readonly tolerance: number } | null
  readonly prepares: boolean
  /** Whether its answer says something of what is on the disks; that a port or any page answers does not. */
  readonly looksAtDisks: boolean
}

/** Characters of a title that every verdict keeps, and that tell checks apart. */
export const keptTitle = 80

export function titleKey(title: string): string {
  return title.slice(0, keptTitle)
}

/**
 * The questions of a drill, those that prepare first. `previous`: what was counted last in a drill that passed, by the
 * key of the title.
 */
export function toQuestions(
  specs: readonly DrillCheckSpec[],
  previous: ReadonlyMap<string, number>,
): readonly GuestQuestion[] {
  const questions = specs.map((spec) => toQuestion(spec, previous.get(titleKey(spec.title)) ?? null))
  return [...questions.filter(({ prepares }) => prepares), ...questions.filter(({ prepares }) => !prepares)]
}

function toQuestion(spec: DrillCheckSpec, previous: number | null): GuestQuestion {
  const { title, timeoutMs, withinMs } = spec
  const asked = { title, timeoutMs, withinMs, expectExit: 0, pattern: null, count: null, prepares: false } as const
  switch (spec.kind) {
    case 'port':
      return { ...asked, path: '/bin/sh', args: ['-c', listens(spec.port)], looksAtDisks: false }
    case 'http': {
      const { pattern } = spec
      const seconds = String(Math.max(1, Math.floor(timeoutMs / 1_000)))
      const args = ['-c', fetches, 'fetch', spec.url, seconds]
      return { ...asked, path: '/bin/sh', args, pattern, looksAtDisks: pattern !== null }
    }
    case 'command': {
      const { path, args, expectExit, pattern, count, prepares } = spec
      const expected = count?.expected === 'previous' ? previous : (count?.expected ?? null)
      const compared = count && { ...count, expected }
      return { ...asked, path, args, expectExit, pattern, count: compared, prepares, looksAtDisks: !prepares }
    }
  }
}

/** Lines of /proc/net/tcp: `sl local_address rem_address st …`, ports in hex, 0A is LISTEN. */
function listens(port: number): string {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const line = `^ *[0-9]*: [0-9A-F]*:${hex} [0-9A-F]*:[0-9A-F]* 0A `
  return `cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q '${line}' || { echo 'nobody listens on port ${port}' >&2; exit 1; }`
}

/** `fetch URL SECONDS`: the page on stdout; 127: the guest has neither program. */
const fetches = `if command -v curl >/dev/null; then
  out=$(curl -sSk --max-time "$2" -w '\\n%{http_code}' "$1") || exit
  code=\${out##*[!0-9]}
  printf %s "\${out%?$code}"
  case $code in 2??) exit 0;; esac
  echo "the page has status $code" >&2; exit 22
fi
case $(wget --version 2>/dev/null) in
  *'GNU Wget'*) exec wget -q --tries=1 --no-check-certificate --max-redirect=0 -T "$2" -O - "$1";;
esac
if command -v wget >/dev/null; then exec wget -q -T "$2" -O - "$1"; fi
echo 'the guest has neither curl nor wget' >&2; exit 127`
