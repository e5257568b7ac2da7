/** Entry of the supervised children: `main.ts server` or `main.ts worker --site <site>`. */
import { parseArgs } from 'node:util'
import { toHoldfastError } from '../base/index.ts'
import { runServer } from './run-server.ts'
import { runWorker } from './run-worker.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { site: { type: 'string', default: 'local' } },
})

try {
  if (positionals[0] === 'server') await runServer()
  else if (positionals[0] === 'worker') await runWorker({ site: values.site })
  else throw new Error('say server or worker')
} catch (thrown) {
  const error = toHoldfastError(thrown)
  console.error(`${error.message} (${error.code})\n${error.hint}`)
  if (error.code === 'Internal') console.error(thrown)
  process.exit(1)
}
