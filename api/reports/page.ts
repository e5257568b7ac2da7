import { escapeHtml, formatBytes, formatInstant, htmlTable } from '../../base/index.ts'
import type { ProtectionReport, ReportPeriod } from './protection.ts'
import { reportFigures, reportLead, reportTitle } from './words.ts'

const names: { readonly [period in ReportPeriod]: string } = { day: 'Daily', week: 'Weekly', month: 'Monthly' }

const style = `body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:52rem;padding:0 1rem;color-scheme:light dark}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8884;vertical-align:top}td.n{text-align:right}
caption{text-align:left;font-weight:600;padding:.3rem 0}@media print{body{margin:0}}`

/** A page of its own: no script, nothing from anywhere else. To print, to keep, to send on. */
export function reportPage(report: ProtectionReport, installation: string): string {
  const title = `${names[report.period]} protection report of ${installation}`
  const made = formatInstant(report.madeMs)
  const left = report.outsideTotal - report.outside.length
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${style}</style></head><body>`,
    `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(made)}, of the last ${report.days === 1 ? 'day' : `${report.days} days`}</p>`,
    `<p><b>${escapeHtml(reportTitle(report))}.</b> ${escapeHtml(reportLead(report))}</p>`,
    '<h2>Figures</h2>',
    htmlTable(
      ['What', 'How many'],
      reportFigures(report).map((row) => [...row]),
    ),
    '<h2>VMs outside their promise</h2>',
    report.outside.length === 0
      ? '<p>None.</p>'
      : htmlTable(
          ['VM', 'State', 'Why'],
          report.outside.map(({ name, state, sentence }) => [name, state, sentence]),
        ),
    left > 0 ? `<p>… and ${left} more.</p>` : '',
    '<h2>Repositories</h2>',
    htmlTable(
      ['Repository', 'Stored', 'Free', 'Full by'],
      report.repositories.map(({ name, storedBytes, freeBytes, fullMs }) => [
        name,
        size(storedBytes),
        size(freeBytes),
        fullMs === null ? 'not in sight' : new Date(fullMs).toISOString().slice(0, 10),
      ]),
    ),
    '</body></html>\n',
  ].join('')
}

function size(bytes: number | null): string {
  return bytes === null ? '–' : formatBytes(bytes)
}
