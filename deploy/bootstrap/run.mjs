#!/usr/bin/env node
/**
 * The front door of `npm run demo`, `npm test`, `npm run check` and `npm run setup`. No dependencies, runs under
 * Node 20: it installs what is missing, then goes on under the Node of the project (npm package `node`).
 * Every step looks first and does nothing if its work stands, so an interrupted set-up continues where it stopped.
 */
import { existsSync, rmSync } from 'node:fs'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { Failure, say, seconds, timed } from './report.mjs'
import { installDebianPackages } from './debian.mjs'
import { runInFront } from './foreground.mjs'
import { installNpmPackages } from './npm.mjs'
import { node24, root } from './paths.mjs'

const tasks = {
  /** What it needs beyond npm packages, and the script that goes on under Node 24. */
  setup: { packages: 'run', script: 'deploy/bootstrap/prepare.ts' },
  demo: { packages: 'run', script: 'deploy/bootstrap/demo.ts' },
  test: { packages: 'test', script: 'deploy/bootstrap/test.ts' },
  check: { packages: null, script: 'deploy/bootstrap/check.ts' },
}

const started = Date.now()
try {
  const [name = '', ...args] = process.argv.slice(2)
  const task = tasks[name]
  if (!task) throw new Failure(`unknown task “${name}”`, `One of: ${Object.keys(tasks).join(', ')}.`)
  refuseOldNode()
  if (name === 'demo') forgetSummary(args)
  await timed('npm packages', installNpmPackages)
  const { packages } = task
  if (packages !== null) await timed('Debian packages', (progress) => installDebianPackages(packages, progress))
  if (!existsSync(node24)) {
    throw new Failure('the project’s own Node is not there', 'Delete node_modules and run the same command again.')
  }
  say(`set-up so far: ${seconds(Date.now() - started)}`)
  process.exitCode = await goOn(task.script, args)
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(`\n✗ ${error.message}\n  ${error.hint}`)
  process.exitCode = 1
}

function refuseOldNode() {
  const major = Number(process.versions.node.split('.')[0])
  if (major < 20) {
    throw new Failure(
      `Node ${process.versions.node} is too old`,
      'Install Node 20 or newer (Debian: apt-get install nodejs npm), then run the same command again.',
    )
  }
}

/** What an earlier demo proved is not said of this one, even if this one does not get far enough to say so itself. */
function forgetSummary(args) {
  const { values } = parseArgs({ args, options: { json: { type: 'string' } }, strict: false })
  if (typeof values.json === 'string') rmSync(values.json, { force: true })
}

async function goOn(script, args) {
  const env = {
    ...process.env,
    PATH: `${root}/node_modules/.bin:${process.env.PATH}`,
    HOLDFAST_STARTED: String(started),
    // Many short-lived processes run the same sources: they are stripped of types and compiled once.
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? `${root}/node_modules/.cache/code`,
  }
  return runInFront(node24, ['--disable-warning=ExperimentalWarning', script, ...args], { cwd: root, env })
}
