import { Command } from 'commander'
import { examples, whole, type Verb } from './common.ts'

export const up: Verb = (ioOf) => {
  const command = new Command('up')
    .description('start everything for evaluation: Temporal, server, one worker; Ctrl-C ends all of it')
    .option('--site <site>', 'of the worker', 'local')
    .option('--temporal-ui <port>', 'also serve Temporal’s own pages there', whole('--temporal-ui', 1, 65_535))
  examples(command, ['holdfast up', 'HOLDFAST_HOME=/srv/holdfast HOLDFAST_PORT=7500 holdfast up'])
  return command.action(async ({ site, temporalUi }: { site: string; temporalUi?: number }) => {
    const io = ioOf(command)
    const { runUp } = await import('../../server/index.ts')
    await runUp({
      site,
      uiPort: temporalUi ?? null,
      signal: io.world.signal,
      onProgress: (what) => io.say(what),
      onReady: (ready) =>
        io.answer(ready, () =>
          [
            `Holdfast is up at ${ready.url}`,
            `  token: ${ready.tokenPath}`,
            ...(ready.temporalUi === null ? [] : [`  Temporal’s own pages: ${ready.temporalUi}`]),
            '  Ctrl-C ends all of it.',
          ].join('\n'),
        ),
    })
  })
}
