/**
 * `npm test`: set-up, check, then every suite against real products. Prints durations and one closing line of counts.
 * `npm test -- contract e2e` runs only those parts; `npm run test:stores` adds object stores that are built from source.
 * Suites that repeat others in a variant take turns (turns.ts); `npm run test:all` takes all of them, and every sample.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { partsToRun } from './parts.ts'
import { prepareOrExit } from './prepare-all.ts'
import { prepareStoresOrExit } from './prepare-stores.ts'
import { countsOf, failuresOf, readReport, replaceFailed, skippedOf, worthASecondRun, type Report } from './reports.ts'
import { reportersInto, root, runTask, type Outcome } from './tasks.ts'
import { outOfTurn, turns } from './turns.ts'

const asked = partsToRun(process.argv.slice(2))
if ('unknown' in asked) {
  console.error(`✗ no such part: ${asked.unknown.join(', ')}\n  One or more of: ${asked.known.join(', ')}.`)
  process.exit(2)
}
const started = Number(process.env['HOLDFAST_STARTED'] ?? Date.now())
const turn = process.env['HOLDFAST_EXHAUSTIVE'] === '1' ? undefined : (process.env['HOLDFAST_TURN'] ?? drawTurn())
const left = outOfTurn(turn)
if (turn === undefined) delete process.env['HOLDFAST_TURN']
else process.env['HOLDFAST_TURN'] = turn
// Drawn once: a second run meets the same samples and the same random writes as the first.
process.env['HOLDFAST_SEED'] ??= String(Math.floor(started / 1000) % 100_000)
const logs = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
if (asked.run.some((part) => part !== 'stores')) await prepareOrExit()
if (asked.run.includes('contract')) await prepareStoresOrExit(['seaweedfs', 'azurite'])
if (asked.run.includes('stores')) await prepareStoresOrExit(['seaweedfs', 'versitygw', 'minio'])

const reports = new Map<string, Report>()
const outcomes: Outcome[] = []
for (const part of asked.run) {
  console.log(`\n── ${part} ──`)
  const report = join(logs, `${part}.json`)
  const command: [string, ...string[]] =
    part === 'check'
      ? ['node', '--disable-warning=ExperimentalWarning', 'deploy/bootstrap/check.ts', '--report', report]
      : vitest(part, report)
  process.env['HOLDFAST_UNHANDLED'] = unhandledOf(part)
  outcomes.push(await runTask({ name: part, command }, logs, true))
  reports.set(part, readReport(report))
}

const failures = [...reports].flatMap(([part, report]) => [
  ...failuresOf(part, report, root),
  ...unhandled(part).map((error) => `${part}: an error outside of every test\n  ${error}`),
])
const unsteady = await runAgain()
const counts = countsOf([...reports.values()])
const failed = outcomes.filter((o) => !o.ok && !unsteady.has(o.name)).map((o) => o.name)

// Once more at the end: between here and where they happened lie minutes of output.
for (const failure of failures)
  console.log(`\n${[...unsteady].some((p) => failure.startsWith(p)) ? '⚠' : '✗'} ${failure}`)
console.log(`\ntotal, set-up included: ${((Date.now() - started) / 1000).toFixed(0)} s`)
if (unsteady.size > 0)
  console.log('⚠ passed only when run once more and alone: a defect of the test or of what it tests')
if (failed.length > 0) console.log(`failed: ${failed.join(', ')}`)
if (failures.length > 0) console.log(`logs: ${logs}`)
else rmSync(logs, { recursive: true })
for (const skipped of [...reports].flatMap(([part, report]) => skippedOf(part, report, root)))
  console.log(`· not run on this machine: ${skipped}`)
if (turn !== undefined)
  console.log(
    `turn ${turn} of ${turns.length}: ${left.length} suites that vary others had none; HOLDFAST_TURN=${turn} repeats it, npm run test:all runs all`,
  )
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = failed.length === 0 ? 0 : 1

function drawTurn(): string {
  return String((Math.floor(Date.now() / 1000) % turns.length) + 1)
}

function unhandledOf(part: string): string {
  return join(logs, `${part}-unhandled.json`)
}

/** What went wrong outside of every test; `check` tells of its own. */
function unhandled(part: string): readonly string[] {
  return existsSync(unhandledOf(part)) ? (JSON.parse(readFileSync(unhandledOf(part), 'utf8')) as string[]) : []
}

function vitest(part: string, report: string, ...more: string[]): [string, ...string[]] {
  // The files that must run alone are a project of their own, after the others.
  const project = part === 'contract' || part === 'chaos' ? `${part}*` : part
  return ['vitest', 'run', '--project', project, '--reporter=default', ...reportersInto(report), ...more]
}

/** Runs the few files that failed once more, nothing beside them. Returns the parts of which all passed then. */
async function runAgain(): Promise<Set<string>> {
  const passed = new Set<string>()
  for (const [part, files] of worthASecondRun(reports, root)) {
    console.log(`\n── ${part}, once more and alone: ${files.join(', ')} ──`)
    const report = join(logs, `${part}-again.json`)
    const command = vitest(part, report, '--maxWorkers=1', ...files)
    process.env['HOLDFAST_UNHANDLED'] = unhandledOf(`${part}-again`)
    const { ok } = await runTask({ name: `${part}-again`, command }, logs, true)
    // An error that belongs to no test is not made good by a test that passes.
    if (!ok || unhandled(part).length > 0) continue
    passed.add(part)
    reports.set(part, replaceFailed(reports.get(part) as Report, readReport(report)))
  }
  return passed
}
