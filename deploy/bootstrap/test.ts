/**
 * `npm test`: set-up, check, then every suite against real products. Prints durations and one closing line of counts.
 * `npm test -- contract e2e` runs only those parts; `npm run test:stores` adds object stores that are built from source.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  addCounts(report)
}

const failed = outcomes.filter((o) => !o.ok).map((o) => o.name)
console.log(`\ntotal, set-up included: ${((Date.now() - started) / 1000).toFixed(0)} s`)
if (failed.length > 0) console.log(`failed: ${failed.join(', ')} (logs: ${logs})`)
else rmSync(logs, { recursive: true })
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = failed.length === 0 ? 0 : 1

function addCounts(report: string): void {
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8')) as {
    numPassedTests: number
    numFailedTests: number
    numPendingTests: number
  }
  counts.passed += numPassedTests
  counts.failed += numFailedTests
  counts.skipped += numPendingTests
}
