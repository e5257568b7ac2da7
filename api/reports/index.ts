/**
 * The protection report of a day, a week or a month (product P-REPORT): how the VMs stand against their promise, what was made
 * and proven, what went wrong, what comes. As data, as a page to print or send on, and as the summary that channels get.
 */
export { protectionReport, reportPeriods } from './protection.ts'
export type { ProtectionReport, ReportPeriod } from './protection.ts'
export { reportPage } from './page.ts'
export { reportFigures, reportLead, reportTitle } from './words.ts'
