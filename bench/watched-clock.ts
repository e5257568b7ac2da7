/**
 * Loaded into the server of bench/watchdog.ts before anything else: its wall clock goes as many milliseconds ahead as the file
 * in WATCHED_CLOCK says. The clock that nobody can set, and every other process, go on as they do.
 */
import { readFileSync } from 'node:fs'

const file = process.env['WATCHED_CLOCK']
if (file && process.argv[2] === 'server') {
  const System = Date
  let aheadMs = 0
  const read = (): void => {
    try {
      aheadMs = Number(readFileSync(file, 'utf8')) || 0
    } catch {
      aheadMs = 0
    }
  }
  setInterval(read, 200).unref()
  const now = (): number => System.now() + aheadMs
  globalThis.Date = new Proxy(System, {
    construct: (target, given: unknown[], as) =>
      Reflect.construct(target, given.length === 0 ? [now()] : given, as) as Date,
    get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
  })
}
