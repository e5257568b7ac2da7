export type ExportFormat = 'csv' | 'json'
export type ExportRow<C extends string> = { readonly [column in C]: string | number | null }

/** Rows that go out together. */
const together = 200

/** As a stream: there may be any number of rows. */
export function rowStream<C extends string>(
  columns: readonly C[],
  rows: Iterable<ExportRow<C>>,
  format: ExportFormat,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const lines = format === 'csv' ? csvLines(columns, rows) : jsonLines(rows)
  return new ReadableStream({
    pull(controller) {
      let text = ''
      for (let count = 0; count < together; count += 1) {
        const next = lines.next()
        if (next.done === true) {
          if (text !== '') controller.enqueue(encoder.encode(text))
          controller.close()
          return
        }
        text += next.value
      }
      controller.enqueue(encoder.encode(text))
    },
    cancel() {
      lines.return?.(undefined)
    },
  })
}

/** Cells that a spreadsheet would take for a formula are made text. */
function cell(value: string | number | null): string {
  const text = value === null ? '' : String(value)
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

function* csvLines<C extends string>(columns: readonly C[], rows: Iterable<ExportRow<C>>): Generator<string> {
  yield `${columns.join(',')}\r\n`
  for (const row of rows) yield `${columns.map((column) => cell(row[column])).join(',')}\r\n`
}

function* jsonLines(rows: Iterable<object>): Generator<string> {
  let lead = '{"items":[\n'
  for (const row of rows) {
    yield `${lead}${JSON.stringify(row)}`
    lead = ',\n'
  }
  yield lead === ',\n' ? '\n]}\n' : `${lead}]}\n`
}
