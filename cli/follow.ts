import { describeError, isHoldfastError } from '../base/index.ts'
import { ask, type ApiClient, type Schemas } from './client/index.ts'
import { exit } from './exit-codes.ts'
import type { Io } from './io.ts'
import { runbookLine, runbookText } from './render/runbook.ts'
import { styleOf } from './render/style.ts'
import { runPath } from './verbs/common.ts'

type Runbook = Schemas['Runbook']

const liveMs = 1_000
const lineMs = 10_000
/** A server that restarts is waited for: the run goes on without it. */
const awayMs = 300_000

/**
 * Watches a run to its end: redrawn on a terminal, else one line per ten seconds and at each change of state. Returns
 * the exit code that tells how it ended. Ctrl-C ends the watching, never the run.
 * `answer: false`: the caller has something better to say at its end.
 */
export async function followRun(
  io: Io,
  api: ApiClient,
  run: string,
  options: { readonly answer?: boolean } = {},
): Promise<number> {
  const { now, sleep, signal, stderr } = io.world
  const screen = new Screen(io)
  let awaySince: number | null = null
  let lastLineMs = Number.NEGATIVE_INFINITY
  let lastState = ''
  while (!signal.aborted) {
    const book = await read(api, run, (error) => {
      awaySince ??= now()
      if (now() - awaySince > awayMs) throw error
      screen.clear()
      io.say(`${describeError(error)}; the run goes on, looking again`)
    })
    if (book) {
      awaySince = null
      if (book.endedMs !== null) {
        screen.clear()
        if (options.answer !== false) io.answer(book, () => runbookText(book, styleOf(io.hasColor), now()))
        return exitOfRun(book)
      }
      if (io.isLive) screen.draw(runbookText(book, styleOf(io.hasColor || stderr.isTTY === true), now()))
      else if (book.state !== lastState || now() - lastLineMs >= lineMs) {
        io.say(runbookLine(book, now()))
        lastState = book.state
        lastLineMs = now()
      }
    }
    await sleep(liveMs, signal)
  }
  screen.clear()
  io.say(`No longer watching; the run goes on. \`holdfast run watch ${run}\` looks again.`)
  return exit.interrupted
}

/** Undefined while the server or the engine is away; anything else it says is thrown. */
async function read(api: ApiClient, run: string, away: (error: unknown) => void): Promise<Runbook | undefined> {
  try {
    return await ask(api.GET('/runs/{run}/runbook', runPath(run)))
  } catch (error) {
    if (!isHoldfastError(error) || !['ServerUnreachable', 'TemporalUnavailable'].includes(error.code)) throw error
    away(error)
    return undefined
  }
}

/** A drill that ended has done its work whatever it found: it is ok only if the point was proven. */
function exitOfRun({ kind, state, verdict }: Pick<Runbook, 'kind' | 'state' | 'verdict'>): number {
  if (kind === 'drill' && verdict !== 'passed') return exit.failed
  if (state === 'completed') return exit.ok
  return state === 'completed-with-residue' ? exit.partial : exit.failed
}

/** Redraws a block of lines in place on stderr. */
class Screen {
  readonly #io: Io
  #lines = 0

  constructor(io: Io) {
    this.#io = io
  }

  draw(text: string): void {
    const width = this.#io.world.stderr.columns ?? 80
    const lines = text.split('\n').map((line) => cut(line, width))
    this.clear()
    this.#io.world.stderr.write(`${lines.join('\n')}\n`)
    this.#lines = lines.length
  }

  clear(): void {
    if (this.#lines > 0) this.#io.world.stderr.write(`\u001B[${this.#lines}A\u001B[0J`)
    this.#lines = 0
  }
}

/** Keeps escape sequences whole and counts only what is seen: a wrapped line would break the redrawing. */
function cut(line: string, width: number): string {
  let seen = 0
  let out = ''

  for (const part of line.split(/(\u001B\[[0-9;]*m)/)) {
    if (part.startsWith('\u001B')) out += part
    else {
      const fits = [...part].slice(0, Math.max(0, width - 1 - seen))
      seen += fits.length
      out += fits.join('')
    }
  }
  return out
}
