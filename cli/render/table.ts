import { stripVTControlCharacters } from 'node:util'

export interface Column<T> {
  readonly head: string
  readonly cell: (row: T) => string
  readonly right?: boolean
}

/** Columns aligned, two spaces apart, no lines; words to the left, figures to the right. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const grid = [columns.map((column) => column.head), ...rows.map((row) => columns.map((column) => column.cell(row)))]
  const widths = columns.map((_, index) => Math.max(...grid.map((line) => widthOf(line[index] ?? ''))))
  return grid
    .map((line) =>
      line
        .map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]?.right === true))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** `name   value` lines. */
export function pairs(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...entries.map(([name]) => name.length))
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()).join('\n')
}

function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length
}

function pad(text: string, width: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return right ? space + text : text + space
}
