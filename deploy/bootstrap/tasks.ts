import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { spawnSupervised } from '../../drivers/transport/index.ts'

export const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Task {
  readonly name: string
  readonly command: readonly [string, ...string[]]
  readonly env?: { readonly [name: string]: string }
}

export interface Outcome {
  readonly name: string
  readonly ok: boolean
  readonly ms: number
  readonly log: string
}

/** Runs one command with its output in a file; the output is shown as it comes where `live`, else only on failure. */
export async function runTask(task: Task, logDir: string, live = false): Promise<Outcome> {
  const started = Date.now()
  const log = join(logDir, `${task.name.replaceAll(/[^a-z0-9-]+/gi, '-')}.log`)
  const sink = createWriteStream(log)
  const [program, ...args] = task.command
  const child = spawnSupervised(program, args, 'parent', 'pipe', {
    ...process.env,
    FORCE_COLOR: '0',
    ...task.env,
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      sink.write(chunk)
      if (live) process.stdout.write(chunk)
    })
  }
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve(status ?? 1))
  })
  await new Promise<void>((resolve) => sink.end(() => resolve()))
  const outcome = { name: task.name, ok: code === 0, ms: Date.now() - started, log }
  console.log(`${outcome.ok ? '✓' : '✗'} ${task.name.padEnd(28)} ${(outcome.ms / 1000).toFixed(1).padStart(7)} s`)
  if (!outcome.ok && !live) console.log(readFileSync(log, 'utf8').trimEnd())
  return outcome
}

/** Lanes run side by side, the tasks of a lane one after the other. */
export async function runLanes(lanes: readonly (readonly Task[])[]): Promise<Outcome[]> {
  const logs = mkdtempSync(join(tmpdir(), 'holdfast-check-'))
  const all = await Promise.all(
    lanes.map(async (lane) => {
      const outcomes: Outcome[] = []
      for (const task of lane) outcomes.push(await runTask(task, logs))
      return outcomes
    }),
  )
  const flat = all.flat()
  if (flat.every((o) => o.ok)) rmSync(logs, { recursive: true })
  else console.log(`logs: ${logs}`)
  return flat
}

/** The reporters of vitest that write into the file `report`, and into HOLDFAST_UNHANDLED what its JSON leaves out. */
export function reportersInto(report: string): string[] {
  return ['--reporter=json', `--outputFile.json=${report}`, '--reporter=./deploy/bootstrap/unhandled.ts']
}
