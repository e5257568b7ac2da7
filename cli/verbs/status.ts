import { Command } from 'commander'
import { formatDuration } from '../../base/index.ts'
import { ask } from '../client/index.ts'
import { styleOf, plain, type Tone } from '../render/style.ts'
import { progressText, size, until } from '../render/words.ts'
import { examples, type Verb } from './common.ts'

const tones: { readonly [state: string]: Tone } = {
  ok: 'ok',
  running: 'running',
  attention: 'attention',
  failed: 'failed',
  idle: 'idle',
}

export const status: Verb = (ioOf) => {
  const command = new Command('status').description(
    'the answer first: are all VMs inside their promise, and what needs you',
  )
  examples(command, ['holdfast status', 'holdfast status --json | jq .counts'])
  return command.action(async () => {
    const io = ioOf(command)
    const overview = await ask(io.api().GET('/overview'))
    io.answer(overview, () => {
      const style = styleOf(io.hasColor)
      const lines = [style.tone(tones[overview.state] ?? 'plain', overview.sentence), overview.lead]
      for (const item of overview.needsYou) {
        lines.push(
          '',
          `${style.tone(item.severity === 'failed' ? 'failed' : 'attention', '!')} ${plain(item.title)}`,
          `  ${plain(item.detail)}`,
        )
        if (item.action.command) lines.push(style.dim(`  ${item.action.label}: ${item.action.command}`))
      }
      if (overview.needsYouTotal > overview.needsYou.length)
        lines.push(`  and ${overview.needsYouTotal - overview.needsYou.length} more`)
      if (overview.running.length > 0) lines.push('', 'Running now:')
      for (const run of overview.running) {
        lines.push(
          `  ${run.workflowId} · ${run.state} · ${formatDuration(run.durationMs)}${run.progress ? ` · ${progressText(run.progress)}` : ''}`,
        )
      }
      if (overview.upcoming.length > 0) lines.push('', 'Next 12 hours:')
      for (const one of overview.upcoming) {
        const when = one.state === 'held' ? 'held' : until(one.atMs, overview.readMs)
        lines.push(
          `  ${when} · ${plain(one.title)}${one.detail ? ` · ${plain(one.detail)}` : ''}${one.goesOn ? ', and on' : ''}`,
        )
      }
      if (overview.upcomingTotal > overview.upcoming.length)
        lines.push(`  and ${overview.upcomingTotal - overview.upcoming.length} more`)
      if (overview.repositories.length > 0) lines.push('', 'Repositories:')
      for (const { name, points, usage } of overview.repositories) {
        lines.push(
          `  ${plain(name)} · ${points} points${usage ? ` · ${size(usage.storedBytes)} stored, ${size(usage.freeBytes)} free` : ''}`,
        )
      }
      return lines.join('\n')
    })
  })
}
