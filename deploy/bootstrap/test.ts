/**
 * `npm test`: set-up, check, then every suite against real products. Prints durations and one closing line of counts.
 * `npm test -- contract e2e` runs only those parts.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepare } from './prepare-all.ts'
import { runTask, type Outcome } from './tasks.ts'

const parts = ['check', 'contract', 'e2e', 'chaos'] as const
const asked = process.argv.slice(2)
const started = Number(process.env['HOLDFAST_STARTED'] ?? Date.now())
const logs = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
await prepare()

const counts = { passed: 0, failed: 0, skipped: 0 }
const outcomes: Outcome[] = []
for (const part of parts) {
  if (asked.length > 0 && !asked.includes(part)) continue
  console.log(`\n── ${part} ──`)
  const report = join(logs, `${part}.json`)
  const command: [string, ...string[]] =
    part === 'check'
      ? ['node', '--disable-warning=ExperimentalWarning', 'deploy/bootstrap/check.ts', '--report', report]
      : ['vitest', 'run', '--project', part, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
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
