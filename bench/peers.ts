/**
 * `npm run bench`: Holdfast and the deduplicating backup tools that are installed here, side by side on one disk image, by
 * ../shared/bench/peers.sh. Writes the table, losses included, into docs/performance.md.
 *
 *   npm run bench                                   three rounds of every tool found
 *   ROUNDS=1 TOOLS="holdfast rustic-fixed" npm run bench     the variables of peers.sh
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatBytes } from '../base/index.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const peers = join(root, '../shared/bench')
if (!existsSync(join(peers, 'peers.sh'))) {
  console.error(`✗ the peers' scripts are not there: ${peers}\n  They belong beside the project, in ../shared/bench.`)
  process.exit(4)
}
const work = process.env['WORK'] ?? join(tmpdir(), 'peers-work')
const run = spawnSync('bash', [join(peers, 'peers.sh')], {
  stdio: 'inherit',
  env: { ...process.env, WORK: work, TOOLS_DIR: `${join(peers, 'tools.d')} ${join(root, 'bench/tools.d')}` },
})
if (run.status !== 0) process.exit(run.status ?? 1)

const results = process.env['OUT'] ?? join(work, 'peers.jsonl')
const table = spawnSync(process.execPath, [join(peers, 'table.mjs'), results], { encoding: 'utf8' })
if (table.status !== 0) throw new Error(table.stderr)
const rounds = Math.max(...readFileSync(results, 'utf8').trim().split('\n').map(roundOf))
const [cpu] = cpus()
const machine = `${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, ${formatBytes(totalmem())} of memory`
const said = `${new Date().toISOString().slice(0, 10)}, ${machine}, Node ${process.version}, ${rounds} rounds; medians (min..max)`
const page = join(root, 'docs/performance.md')
const [open, close] = ['<!-- peers -->', '<!-- /peers -->']
const text = readFileSync(page, 'utf8')
const [from, to] = [text.indexOf(open) + open.length, text.indexOf(close)]
if (from < open.length || to < from) throw new Error(`${page} has no place for the table`)
const block = `\n\n${said}\n\n\`\`\`text\n${table.stdout.trimEnd()}\n\`\`\`\n\n`
writeFileSync(page, text.slice(0, from) + block + text.slice(to))
console.log(`\nwritten to ${page}`)

function roundOf(line: string): number {
  return (JSON.parse(line) as { round: number }).round
}
