import { formatBytes, formatDuration, locationText, type RepositoryLocation } from '../../base/index.ts'
import type { ProbeReport } from '../../repository/index.ts'
import { exit } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { plain, styleOf } from '../render/style.ts'

/** Ends with `failed` if the store is not fit. */
export async function probe(io: Io, location: RepositoryLocation): Promise<void> {
  const { probeLocation } = await import('../../repository/index.ts')
  io.say(`probing ${locationText(location)}; this writes and removes about 200 MiB`)
  const report = await probeLocation(location)
  io.answer({ place: locationText(location), ...report }, () => probeText(report, styleOf(io.hasColor)))
  if (!report.passed) io.end(exit.failed)
}

function probeText(report: ProbeReport, style: ReturnType<typeof styleOf>): string {
  const { passed, checks, staleMs, writeRate, readRate } = report
  return [
    ...checks.map(({ name, passed: isSound, detail }) => {
      return `${isSound ? 'passed' : style.tone('failed', 'FAILED')}: ${plain(name)}. ${plain(detail)}`
    }),
    `writes ${formatBytes(writeRate)}/s, reads ${formatBytes(readRate)}/s`,
    ...(staleMs > 0 ? [`writers wait ${formatDuration(10 * staleMs)} before they trust a listing`] : []),
    passed
      ? style.tone('ok', 'The store keeps what a repository relies on.')
      : style.tone('failed', 'The store does not keep what a repository relies on.'),
  ].join('\n')
}
