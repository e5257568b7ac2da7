import { Command } from 'commander'
import { examples, type Verb } from './common.ts'

export const worker: Verb = (ioOf) => {
  const command = new Command('worker')
    .description('run a data mover of a site')
    .requiredOption('--site <site>', 'whose hypervisors and repositories it reaches')
  examples(command, ['TEMPORAL_ADDRESS=temporal:7233 holdfast worker --site lyon'])
  return command.action(async ({ site }: { site: string }) => {
    const { runWorker } = await import('../../server/index.ts')
    await runWorker({ site, env: ioOf(command).world.env })
  })
}
