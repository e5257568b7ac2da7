import { Command } from 'commander'
import { examples, type Verb } from './common.ts'

export const server: Verb = (ioOf) => {
  const command = new Command('server').description('run the server: API, dashboard, catalog and workflows')
  examples(command, ['TEMPORAL_ADDRESS=temporal:7233 holdfast server'])
  return command.action(async () => {
    const { runServer } = await import('../../server/index.ts')
    await runServer({ env: ioOf(command).world.env })
  })
}
