import { Command } from 'commander'
import { ask } from '../client/index.ts'
import { exit } from '../exit-codes.ts'
import { plain, styleOf } from '../render/style.ts'
import { examples, type Verb } from './common.ts'

const words = { ok: 'ok', attention: 'look', failed: 'FAILED', unknown: 'unknown' } as const

export const doctor: Verb = (ioOf) => {
  const command = new Command('doctor').description('check everything that the installation stands on')
  examples(command, ['holdfast doctor', 'holdfast doctor --json'])
  return command.action(async () => {
    const io = ioOf(command)
    const report = await ask(io.api().GET('/doctor'))
    io.answer(report, () => {
      const style = styleOf(io.hasColor)
      return report.checks
        .flatMap((check) => [
          `${style.tone(check.state === 'unknown' ? 'idle' : check.state, words[check.state].padEnd(7))} ${plain(check.title)}: ${plain(check.detail)}`,
          ...(check.hint && check.state !== 'ok' ? [`        ${plain(check.hint)}`] : []),
        ])
        .join('\n')
    })
    if (report.state === 'failed') io.end(exit.failed)
  })
}
