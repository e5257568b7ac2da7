/** `npm run check`: format, lint, types, import rules, dead code, unit tests. Two lanes, about as long. */
import { totalmem } from 'node:os'
import { MiB } from '../../base/index.ts'
import { prepareWeb } from './prepare-web.ts'
import { reportersInto, runLanes } from './tasks.ts'

const started = Date.now()
/** Go programs that end soon: they collect garbage only near the limit, which saves a third of their time. */
const lateGc = { GOGC: 'off', GOMEMLIMIT: `${Math.floor(totalmem() / MiB / 4)}MiB` }
const at = process.argv.indexOf('--report')
// What failed must not be sought among three thousand lines of what passed.
const report = ['--reporter=dot', ...(at < 0 ? [] : reportersInto(process.argv[at + 1] ?? ''))]
prepareWeb()
const outcomes = await runLanes([
  [
    // Says what tsc says, in a third of the time: it reads the types anyway.
    { name: 'lint and types', command: ['oxlint', '--deny-warnings', '--type-check', '.'], env: lateGc },
    { name: 'lint of the dashboard', command: ['eslint', 'web', '--max-warnings', '0'] },
    {
      name: 'types of the dashboard',
      command: ['sh', '-c', 'cd web && exec svelte-check --tsgo --tsconfig ./tsconfig.json --output human'],
      env: lateGc,
    },
    {
      name: 'import rules',
      command: ['depcruise', '--config', '.dependency-cruiser.cjs', '--output-type', 'err-long', '.'],
    },
    { name: 'dead code', command: ['knip', '--no-config-hints'] },
    { name: 'format', command: ['oxfmt', '--check'] },
  ],
  [{ name: 'unit tests', command: ['vitest', 'run', '--project', 'unit', ...report] }],
])
const failed = outcomes.filter((o) => !o.ok)
const total = ((Date.now() - started) / 1000).toFixed(1)
console.log(
  failed.length === 0
    ? `check passed in ${total} s`
    : `check failed in ${total} s: ${failed.map((o) => o.name).join(', ')}`,
)
process.exitCode = failed.length === 0 ? 0 : 1
