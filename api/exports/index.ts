/**
 * Lists as files (product P-REPORT): rows of plain values, as CSV (RFC 4180) or JSON, page by page, so that none of them is
 * ever in memory as a whole. What is in which file is in `rows.ts`.
 */
export { rowStream } from './stream.ts'
export type { ExportFormat, ExportRow } from './stream.ts'
export { exportKinds, exportRows } from './rows.ts'
export type { ExportKind } from './rows.ts'
