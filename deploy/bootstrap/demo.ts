/**
 * `npm run demo [-- --exit] [--json FILE]`. Exit code 0: everything was proven; 1: something was not, or failed.
 * Without `--exit` it stays up with the dashboard until Ctrl-C, which leaves nothing running.
 */
import { writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeError, formatDuration, isHoldfastError } from '../../base/index.ts'
import { setStage, summaryText, tellStory, type Narrator } from '../../cli/demo/index.ts'
import { prepare } from './prepare-all.ts'

const { values } = parseArgs({ options: { exit: { type: 'boolean', default: false }, json: { type: 'string' } } })
const started = Number(process.env['HOLDFAST_STARTED'] ?? Date.now())
const interrupted = new Promise<'interrupted'>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('interrupted'))
})

let scenes = 0
const narrator: Narrator = {
  scene: (title) => {
    scenes += 1
    console.log(`\n${scenes}. ${title}`)
  },
  note: (text) => console.log(`   ${text}`),
}

await prepare()
// A story that was interrupted still waits for its run; nothing of it is needed any more.
process.exit(await show())

async function show(): Promise<number> {
  await using stage = await setStage({
    home: process.env['HOLDFAST_DEMO_HOME'] ?? join(homedir(), '.holdfast-demo'),
    narrator,
  })
  narrator.note(`dashboard: ${stage.url}  (token: ${join(stage.at.home, 'secrets', 'admin-token')})`)
  const told = await Promise.race([tell(stage), interrupted])
  if (told === 'interrupted') return 130
  if (!values.exit) {
    console.log(`\nEverything stays up at ${stage.url} until Ctrl-C.`)
    await interrupted
    console.log('\nstopping…')
  }
  return told
}

async function tell(stage: Parameters<typeof tellStory>[0]): Promise<number> {
  try {
    const summary = await tellStory(stage, narrator)
    console.log(`\n${summaryText(summary)}`)
    console.log(`\n${summary.proven ? '✓ proven' : '✗ NOT proven'}, in ${formatDuration(Date.now() - started)}`)
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(summary, null, 2)}\n`)
    return summary.proven ? 0 : 1
  } catch (error) {
    console.error(`\n✗ ${describeError(error)}${isHoldfastError(error) ? `\n  ${error.hint}` : ''}`)
    return 1
  }
}
