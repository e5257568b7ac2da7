import { join } from 'node:path'
import { pino } from 'pino'
import type { Log } from '../activities/index.ts'
import type { Home } from './config.ts'

const secretNames = ['token', 'passphrase', 'password', 'secret', 'authorization', 'cookie', 'apiKey', 'credential']
/** Values of such members never reach a log, at any of the three upper levels. */
const redact = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

export interface ProcessLog extends Log {
  debug(fields: object, message: string): void
  /** Everything that was said is on disk when it returns. */
  flush(): void
}

/** One JSON line per event in `logs/<role>.log`; warnings and errors also on stderr for who started the process. */
export function processLog(home: Home, role: string): ProcessLog {
  const file = pino.destination({ dest: join(home.logs, `${role}.log`), mkdir: true, sync: true })
  const level = process.env['HOLDFAST_LOG_LEVEL'] || 'info'
  const streams = pino.multistream([
    { stream: file, level: 'trace' },
    { stream: pino.destination({ dest: 2, sync: true }), level: 'warn' },
  ])
  const log = pino({ level, base: { role, pid: process.pid }, redact: { paths: redact, censor: '[secret]' } }, streams)
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    flush: () => file.flushSync(),
  }
}
