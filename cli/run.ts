import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { runCli } from './program.ts'

const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort())
// A reader that has seen enough text (head, less) is no error. Of a disk it has never seen enough: there the write fails.
let isText = true
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  if (isText) process.exit(0)
})

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

process.exitCode = await runCli(
  process.argv.slice(2),
  {
    stdout: process.stdout,
    bytes: () => {
      isText = false
      return process.stdout
    },
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    now: Date.now,
    signal: interrupted.signal,
    sleep: async (ms, signal) => {
      try {
        await delay(ms, undefined, { signal })
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
  },
  version,
)
