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

/** A page is fetched inside the guest, by its curl or wget; certificates are not judged, redirects not followed. */
export interface HttpCheck extends Asked {
  readonly kind: 'http'
  readonly url: string
  readonly pattern: string | null
}

export type DrillCheckSpec = CommandCheck | PortCheck | HttpCheck

/** A command for the guest and what its answer must be. */
export interface GuestQuestion extends Asked {
  readonly path: string
  readonly args: readonly string[]
  readonly expectExit: number
  readonly pattern: string | null
  /** `expected` null: there is nothing to compare with yet. */
  readonly count: { readonly expected: number | null; readonly tolerance: number } | null
  readonly prepares: boolean
  /** Whether its answer says something of what is on the disks; that somebody listens on a port does not. */
  readonly looksAtDisks: boolean
}

/**
 * The questions of a drill, those that prepare first. `previous`: counts of the newest drill that passed, by title.
 */
export function toQuestions(
  specs: readonly DrillCheckSpec[],
  previous: ReadonlyMap<string, number>,
): readonly GuestQuestion[] {
  const questions = specs.map((spec) => toQuestion(spec, previous.get(spec.title) ?? null))
  return [...questions.filter(({ prepares }) => prepares), ...questions.filter(({ prepares }) => !prepares)]
}

function toQuestion(spec: DrillCheckSpec, previous: number | null): GuestQuestion {
  const { title, timeoutMs, withinMs } = spec
  const asked = { title, timeoutMs, withinMs, expectExit: 0, pattern: null, count: null, prepares: false } as const
  switch (spec.kind) {
    case 'port':
      return { ...asked, path: '/bin/sh', args: ['-c', listens(spec.port)], looksAtDisks: false }
    case 'http':
      return {
        ...asked,
        path: '/bin/sh',
        args: ['-c', fetches, 'fetch', spec.url],
        pattern: spec.pattern,
        looksAtDisks: true,
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

/** 127: the guest has neither program. */
const fetches = [
  'if command -v curl >/dev/null; then exec curl -fsSk --max-time 50 "$1"; fi',
  'if command -v wget >/dev/null; then exec wget -q -T 50 -O - "$1"; fi',
  "echo 'the guest has neither curl nor wget' >&2; exit 127",
].join('\n')
