#!/usr/bin/env node
/**
 * The front door of `npm run demo`, `npm test`, `npm run check` and `npm run setup`. No dependencies, runs under
 * Node 20: it installs what is missing, then goes on under the Node of the project (npm package `node`).
 * Every step looks first and does nothing if its work stands, so an interrupted set-up continues where it stopped.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import process from 'node:process'
import { Failure, say, seconds, timed } from './report.mjs'
import { installDebianPackages } from './debian.mjs'
import { installNpmPackages } from './npm.mjs'
import { node24, root } from './paths.mjs'

const tasks = {
  /** What it needs beyond npm packages, and the script that goes on under Node 24. */
  setup: { packages: 'all', script: 'deploy/bootstrap/prepare.ts' },
  demo: { packages: 'all', script: 'deploy/bootstrap/demo.ts' },
  test: { packages: 'all', script: 'deploy/bootstrap/test.ts' },
  check: { packages: 'none', script: 'deploy/bootstrap/check.ts' },
}

const started = Date.now()
try {
  const [name = '', ...args] = process.argv.slice(2)
  const task = tasks[name]
  if (!task) throw new Failure(`unknown task “${name}”`, `One of: ${Object.keys(tasks).join(', ')}.`)
  refuseOldNode()
  await timed('npm packages', installNpmPackages)
  if (task.packages === 'all') await timed('Debian packages', installDebianPackages)
  if (!existsSync(node24)) {
    throw new Failure('the project’s own Node is not there', 'Delete node_modules and run the same command again.')
  }
  say(`set-up so far: ${seconds(Date.now() - started)}`)
  process.exitCode = goOn(task.script, args)
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

/** The terminal's Ctrl-C reaches the child too; it decides how to end, so this process only waits for it. */
function goOn(script, args) {
  process.on('SIGINT', () => say('stopping…'))
  const env = {
    ...process.env,
    PATH: `${root}/node_modules/.bin:${process.env.PATH}`,
    HOLDFAST_STARTED: String(started),
  }
  const child = spawnSync(node24, ['--disable-warning=ExperimentalWarning', script, ...args], {
    cwd: root,
    env,
    stdio: 'inherit',
  })
  if (child.error)
    throw new Failure(
      `cannot start ${node24}: ${child.error.message}`,
      'Delete node_modules and run the same command again.',
    )
  return child.status ?? 130
}
