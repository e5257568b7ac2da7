import { createHash } from 'node:crypto'
import { access, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode } from '@temporalio/worker'
import type { Log } from '../activities/index.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const workflows = join(root, 'workflows')
/** All that workflow code can import (.dependency-cruiser.cjs, "workflows-imports"). */
const sources = ['workflows', 'base', 'policy']
const kept = 8

/**
 * The workflow code as one file. Bundling takes about two seconds, so the bundle is kept under the hash of its sources
 * and of the SDK: a start that changes nothing finds it. A bundle of other sources is never used.
 */
export async function workflowBundle(cacheDir: string, log: Log): Promise<{ readonly codePath: string }> {
  const folder = join(cacheDir, 'workflow-bundle')
  const codePath = join(folder, `${await hashOfSources()}.js`)
  if (await exists(codePath)) return { codePath }
  await mkdir(folder, { recursive: true })
  const { code } = await bundleWorkflowCode({ workflowsPath: join(workflows, 'index.ts'), logger: quietLogger(log) })
  const partial = `${codePath}.${process.pid}`
  await writeFile(partial, code)
  await rename(partial, codePath)
  await dropOthers(folder, codePath)
  return { codePath }
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256')
  const { version } = createRequire(import.meta.url)('@temporalio/workflow/package.json') as { version: string }
  hash.update(`sdk ${version}\n`)
  for (const source of sources) {
    const folder = join(root, source)
    if (!(await exists(folder))) continue
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    const files = entries
      .filter((entry) => entry.isFile() && /(?<!\.test)\.ts$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
    for (const file of files.sort())
      hash
        .update(`${relative(root, file)}\n`)
        .update(await readFile(file))
        .update('\n')
  }
  return hash.digest('hex').slice(0, 32)
}

/** The newest few stay: another process, or the version before an upgrade, may still need one. */
async function dropOthers(folder: string, keep: string): Promise<void> {
  // What is not named so is being written by another process.
  const names = (await readdir(folder)).filter((name) => name.endsWith('.js'))
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name)
      const made = await stat(path).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
        throw error
      })
      return { path, madeMs: made?.mtimeMs ?? 0 }
    }),
  )
  const old = found.toSorted((a, b) => b.madeMs - a.madeMs).slice(kept)
  for (const { path } of old) if (path !== keep) await rm(path, { force: true })
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** webpack is talkative; its errors come as exceptions anyway. */
function quietLogger(log: Log): NonNullable<Parameters<typeof bundleWorkflowCode>[0]['logger']> {
  const drop = (): void => undefined
  const warn = (message: string): void => log.warn({}, message)
  return { log: drop, trace: drop, debug: drop, info: drop, warn, error: warn }
}
