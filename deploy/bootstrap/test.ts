/**
 * `npm test`: set-up, check, then every suite against real products. Prints durations and one closing line of counts.
 * `npm test -- contract e2e` runs only those parts; `npm run test:stores` adds object stores that are built from source.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { partsToRun } from './parts.ts'
import { prepareOrExit } from './prepare-all.ts'
import { prepareStoresOrExit } from './prepare-stores.ts'
import { runTask, type Outcome } from './tasks.ts'

const asked = partsToRun(process.argv.slice(2))
if ('unknown' in asked) {
  console.error(`✗ no such part: ${asked.unknown.join(', ')}\n  One or more of: ${asked.known.join(', ')}.`)
  process.exit(2)
}
const started = Number(process.env['HOLDFAST_STARTED'] ?? Date.now())
const logs = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
if (asked.run.some((part) => part !== 'stores')) await prepareOrExit()
if (asked.run.includes('contract')) await prepareStoresOrExit(['seaweedfs', 'azurite'])
if (asked.run.includes('stores')) await prepareStoresOrExit(['seaweedfs', 'versitygw', 'minio'])

const counts = { passed: 0, failed: 0, skipped: 0 }
const outcomes: Outcome[] = []
const failures: string[] = []
for (const part of asked.run) {
  console.log(`\n── ${part} ──`)
  const report = join(logs, `${part}.json`)
  const command: [string, ...string[]] =
    part === 'check'
      ? ['node', '--disable-warning=ExperimentalWarning', 'deploy/bootstrap/check.ts', '--report', report]
      : [
          'vitest',
          'run',
          '--project',
          part === 'contract' ? 'contract*' : part,
          '--reporter=default',
          '--reporter=json',
          `--outputFile.json=${report}`,
        ]
  outcomes.push(await runTask({ name: part, command }, logs, true))
  addReport(part, report)
}

const failed = outcomes.filter((o) => !o.ok).map((o) => o.name)
// Once more at the end: between here and where they happened lie minutes of output.
for (const failure of failures) console.log(`\n${failure}`)
console.log(`\ntotal, set-up included: ${((Date.now() - started) / 1000).toFixed(0)} s`)
if (failed.length > 0) console.log(`failed: ${failed.join(', ')} (logs: ${logs})`)
else rmSync(logs, { recursive: true })
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = failed.length === 0 ? 0 : 1

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly { fullName: string; status: string; failureMessages: readonly string[] }[]
  }[]
}

function addReport(part: string, file: string): void {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report
  counts.passed += report.numPassedTests
  counts.failed += report.numFailedTests
  counts.skipped += report.numPendingTests
  for (const { name, message, assertionResults } of report.testResults) {
    const where = `✗ ${part}: ${relative(process.cwd(), name)}`
    if (message !== '') failures.push(`${where}\n  ${message}`)
    for (const { status, fullName, failureMessages } of assertionResults) {
      if (status === 'failed') failures.push(`${where}: ${fullName}\n  ${failureMessages.join('\n  ')}`)
    }
  }
}
