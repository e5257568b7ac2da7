import { Command } from 'commander'
import { describeError } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { plain } from '../render/style.ts'
import type { Verb } from './common.ts'
import { examples } from './common.ts'

type Overview = Schemas['Overview']

/** What monitoring systems of the Nagios family expect of a plugin: not the exit codes of all other verbs. */
const plugin = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const
type State = keyof typeof plugin

export const check: Verb = (ioOf) => {
  const command = new Command('check').description(
    'one line for monitoring systems (Nagios, Icinga, Zabbix): exit 0 ok, 1 warning, 2 critical, 3 unknown',
  )
  examples(command, ['holdfast check'])
  return command.action(async () => {
    const io = ioOf(command)
    let state: State = 'unknown'
    try {
      const overview = await ask(io.api().GET('/overview'))
      state = stateOf(overview)
      io.answer({ state, overview }, () => `HOLDFAST ${lineOf(state, overview)}`)
    } catch (error) {
      // Whoever asks has to be told in this form, too: that nobody can tell is an answer.
      io.answer(
        { state, error: describeError(error) },
        () => `HOLDFAST UNKNOWN - ${plain(describeError(error).replaceAll(/\s+/g, ' '))}`,
      )
    }
    io.end(plugin[state])
  })
}

function stateOf({ needsYou, needsYouTotal, counts }: Overview): State {
  if (counts.vms === 0) return 'unknown'
  if (needsYou.some(({ severity }) => severity === 'failed')) return 'critical'
  // More than are listed, and nobody has looked at how bad the others are.
  if (needsYouTotal > needsYou.length) return 'critical'
  if (needsYou.some(({ severity }) => severity === 'unknown')) return 'unknown'
  return needsYou.length > 0 ? 'warning' : 'ok'
}

/** `OK - sentence; first thing | name=value …`: what is behind the bar is drawn by the monitoring system. */
function lineOf(state: State, { sentence, needsYou, needsYouTotal, counts, running }: Overview): string {
  const worst = needsYou.find(({ severity }) => severity === 'failed') ?? needsYou[0]
  const more = needsYouTotal > 1 ? ` and ${needsYouTotal - 1} more` : ''
  const what = worst === undefined ? '' : ` ${worst.title}${more}`
  const figures = {
    vms: counts.vms,
    protected: counts.protected,
    at_risk: counts.atRisk,
    unprotected: counts.unprotected,
    proven: counts.proven,
    attention: needsYouTotal,
    running: running.length,
  }
  const data = Object.entries(figures).map(([name, value]) => `${name}=${value}`)
  // A bar in a name would begin the figures.
  return `${state.toUpperCase()} - ${plain(`${sentence}${what}`).replaceAll('|', '/')} | ${data.join(' ')}`
}
