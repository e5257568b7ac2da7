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

/** Tests that ran nowhere although they could on another machine; those that name the reason for every machine are not told. */
export function skippedOf(part: string, report: Report, root: string): string[] {
  return report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status, fullName }) => status !== 'passed' && status !== 'failed' && !/\[[^\]]+\]$/.test(fullName))
      .map(({ fullName }) => `${part}: ${relative(root, name)}: ${fullName}`),
  )
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

/** Where bytes are made, moved and kept: what fails there once has failed. */
const neverAgain = ['base/', 'nbd/', 'drivers/', 'repository/', 'rescue/', 'tests/contract/', 'tests/simulation/']

/**
 * The files that may be run once more, alone: those whose tests wait for processes, guests, servers and browsers, and only
 * where they are few. A failure of a unit or property test, of anything on the path of the bytes, or of two images that
 * differ is a finding, whatever a second run says; and many failures have a cause that is no coincidence.
 */
export function worthASecondRun(reports: ReadonlyMap<string, Report>, root: string): Map<string, readonly string[]> {
  const again = new Map<string, readonly string[]>()
  for (const [part, report] of reports) {
    const files = failedFiles(report, root)
    if (files.length > 0) again.set(part, files)
  }
  const files = [...again.values()].flat()
  const isFinding =
    again.has('check') ||
    files.length > 3 ||
    files.some((file) => neverAgain.some((room) => file.startsWith(room))) ||
    [...reports].some(([part, report]) => failuresOf(part, report, root).some(tellsOfBytes))
  return isFinding ? new Map<string, readonly string[]>() : again
}

/** The oracle's and the tests' own words for bytes that are not what they were. */
function tellsOfBytes(failure: string): boolean {
  return /identical|differ|sha-?256|corrupt|\blost\b|leftover/i.test(failure)
}
