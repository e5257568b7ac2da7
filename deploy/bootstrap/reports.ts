import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

/** What vitest's JSON reporter writes of one run, as far as it is read here. */
export interface Report {
  readonly testResults: readonly FileResult[]
}

interface FileResult {
  /** Absolute path. */
  readonly name: string
  readonly status: string
  /** Why the file as a whole failed: a hook, an import. */
  readonly message: string
  readonly assertionResults: readonly { fullName: string; status: string; failureMessages: readonly string[] }[]
}

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export const readReport = (file: string): Report => JSON.parse(readFileSync(file, 'utf8')) as Report

/** The files of a report in which something failed, relative to `root`. */
export function failedFiles(report: Report, root: string): string[] {
  return report.testResults.filter((file) => file.status === 'failed').map((file) => relative(root, file.name))
}

export function countsOf(reports: readonly Report[]): Counts {
  const all = reports.flatMap((r) => r.testResults).flatMap((f) => f.assertionResults)
  const passed = all.filter((t) => t.status === 'passed').length
  const failed = all.filter((t) => t.status === 'failed').length
  return { passed, failed, skipped: all.length - passed - failed }
}

/** The first report with what a second run says of the files that had failed. */
export function replaceFailed(first: Report, second: Report): Report {
  return { testResults: [...first.testResults.filter((file) => file.status !== 'failed'), ...second.testResults] }
}

/** Every failure of a report with where it happened, for people. */
export function failuresOf(part: string, report: Report, root: string): string[] {
  return report.testResults.flatMap(({ name, message, assertionResults }) => {
    const where = `${part}: ${relative(root, name)}`
    return [
      ...(message === '' ? [] : [`${where}\n  ${message}`]),
      ...assertionResults
        .filter(({ status }) => status === 'failed')
        .map(({ fullName, failureMessages }) => `${where}: ${fullName}\n  ${failureMessages.join('\n  ')}`),
    ]
  })
}

/**
 * The files that may be run once more, alone: those whose tests drive real guests, servers and browsers, and only where
 * they are few. A failure of a unit or property test is a finding, whatever a second run says; and many failures have a
 * cause that is no coincidence.
 */
export function worthASecondRun(reports: ReadonlyMap<string, Report>, root: string): Map<string, readonly string[]> {
  const again = new Map<string, readonly string[]>()
  for (const [part, report] of reports) {
    const files = failedFiles(report, root)
    if (files.length > 0) again.set(part, files)
  }
  const count = [...again.values()].flat().length
  return again.has('check') || count > 3 ? new Map<string, readonly string[]>() : again
}
