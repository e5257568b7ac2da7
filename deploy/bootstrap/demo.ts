/**
 * `npm run demo [-- --exit] [--json FILE]`. Exit code 0: everything was proven; 1: something was not, or failed;
 * 130: interrupted. FILE is written however it ends, and tells of this run only. Without `--exit` it stays up with the
 * dashboard until Ctrl-C, which leaves nothing running.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { HoldfastError, describeError, formatDuration, isHoldfastError } from '../../base/index.ts'
import {
  claimHome,
  nothingMeasured,
  setStage,
  summaryOf,
  summaryText,
  tellStory,
  unproven,
  type DemoStage,
  type Narrator,
} from '../../cli/demo/index.ts'
import { prepare } from './prepare-all.ts'

const { values } = parseArgs({ options: { exit: { type: 'boolean', default: false }, json: { type: 'string' } } })
const started = Number(process.env['HOLDFAST_STARTED'] ?? Date.now())
const home = resolve(process.env['HOLDFAST_DEMO_HOME'] ?? join(homedir(), '.holdfast-demo'))
const interrupted = new Promise<'interrupted'>((resolve) => {
  // Told more than once (by the terminal and by npm) it is still one wish.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('interrupted'))
})

let scenes = 0
const narrator: Narrator = {
  scene: (title) => {
    scenes += 1
    console.log(`\n${scenes}. ${title}`)
  },
  note: (text) => console.log(`   ${text}`),
}
let facts = nothingMeasured
let stage: DemoStage | null = null

// What an earlier demo proved is not said of this one.
if (values.json !== undefined) rmSync(values.json, { force: true })
// Whatever still waits or runs then is of no use, and the kernel ends it with this process.
process.exit(await show())

async function show(): Promise<number> {
  const code = await Promise.race([tell(), interrupted])
  if (code === 'interrupted') write(new HoldfastError('Cancelled', 'the demo was interrupted'))
  else if (stage !== null && !values.exit) {
    console.log(`\nEverything stays up at ${stage.url} until Ctrl-C.`)
    await interrupted
  }
  if (stage !== null) console.log('\nstopping…')
  await stage?.[Symbol.asyncDispose]()
  return code === 'interrupted' ? 130 : code
}

async function tell(): Promise<number> {
  try {
    await claimHome(home)
    await prepare()
    took('setUp', started)
    const since = Date.now()
    stage = await setStage(home, narrator)
    took('start', since)
    narrator.note(`dashboard: ${stage.url}  (token: ${join(home, 'secrets', 'admin-token')})`)
    await tellStory(stage, narrator, (seen) => {
      facts = { ...facts, ...seen, durations: { ...facts.durations, ...seen.durations } }
    })
  } catch (error) {
    write(error)
    console.error(`\n✗ ${describeError(error)}${isHoldfastError(error) ? `\n  ${error.hint}` : ''}`)
    return 1
  }
  const summary = write()
  console.log(`\n${summaryText(summary)}`)
  for (const claim of unproven(facts)) console.log(`✗ not so: ${claim}`)
  console.log(`\n${summary.proven ? '✓ proven' : '✗ NOT proven'}, in ${formatDuration(Date.now() - started)}`)
  return summary.proven ? 0 : 1
}

function took(what: string, since: number): void {
  facts = { ...facts, durations: { ...facts.durations, [what]: Date.now() - since } }
}

/** Whole or not at all: nobody reads half of it. */
function write(failure: unknown = null): ReturnType<typeof summaryOf> {
  took('total', started)
  const summary = summaryOf(facts, failure)
  if (values.json !== undefined) {
    const aside = `${values.json}.${process.pid}`
    writeFileSync(aside, `${JSON.stringify(summary, null, 2)}\n`)
    renameSync(aside, values.json)
  }
  return summary
}
