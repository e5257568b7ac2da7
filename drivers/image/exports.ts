import { mkdir, readFile, readdir, rm, statfs } from 'node:fs/promises'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { qemuName } from '../../images/index.ts'
import { HoldfastError, suitsDirectWrites } from '../../base/index.ts'
import { isOpKey, socketPath } from '../names.ts'
import { dialUnix } from '../qmp/index.ts'
import {
  argumentsOf,
  identify,
  signalProcess,
  spawnSupervised,
  waitForExit,
  type Lifetime,
  type ProcessIdentity,
} from '../transport/index.ts'
import type { OpKey } from '../values.ts'
import type { ImageDisk, ImageVm } from './vms.ts'

/** One qemu-nbd process: one image at one socket. Its name is `<opKey>.<n>`, which its arguments carry. */
export interface ExportSpec {
  readonly name: string
  readonly disk: ImageDisk
  readonly bitmaps: readonly string[]
  readonly writable: boolean
  readonly lifetime: Lifetime
}

export function exportName(opKey: OpKey, n: number): string {
  return `${opKey}.${n}`
}

export function exportSocket(vm: ImageVm, name: string): string {
  return socketPath(join(vm.runDir, `${name}.sock`))
}

/** Starts it and waits until it listens. Throws `Busy` if the image is open elsewhere. */
export async function startExport(vm: ImageVm, spec: ExportSpec): Promise<void> {
  await mkdir(vm.runDir, { recursive: true, mode: 0o700 })
  const { name, disk } = spec
  const socket = exportSocket(vm, name)
  const log = join(vm.runDir, `${name}.log`)
  const args = [
    ...['--persistent', '--shared=64', '--socket', socket, '--pid-file', pidFile(vm, name)],
    ...(spec.writable ? ['--discard=unmap', `--cache=${await cacheOf(disk.file)}`] : ['--read-only']),
    ...[
      '--format',
      qemuName(disk.format),
      '--export-name',
      disk.key,
      ...spec.bitmaps.flatMap((b) => ['--bitmap', b]),
      disk.file,
    ],
  ]
  await vm.host.effects.run('program: qemu-nbd', async () => {
    const output = openSync(log, 'w')
    try {
      const child = spawnSupervised('qemu-nbd', args, spec.lifetime, output)
      let exit: string | undefined
      child.once('error', (error) => (exit = error.message))
      child.once('exit', (code, signal) => (exit = signal ?? `code ${code}`))
      child.unref()
      const deadline = Date.now() + 15_000
      // It listens first and writes its pid file then; only with both can it be found again.
      while (!((await listens(socket)) && (await findExport(vm, name)) !== null)) {
        if (exit !== undefined) throw await startFailure(disk, log, exit)
        if (Date.now() >= deadline) {
          child.kill('SIGKILL')
          throw await startFailure(disk, log, 'no answer')
        }
        await sleep(10)
      }
    } finally {
      closeSync(output)
    }
  })
}

/** What is written here is written once, and flushed at the end: it need not go through the page cache. */
async function cacheOf(file: string): Promise<'none' | 'writeback'> {
  return suitsDirectWrites(await statfs(file)) ? 'none' : 'writeback'
}

/** The process of this name, or null. A reused pid is not it: its arguments name our pid file. */
export async function findExport(vm: ImageVm, name: string): Promise<ProcessIdentity | null> {
  const file = pidFile(vm, name)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new HoldfastError('AccessDenied', `cannot read ${file}`, { cause: error })
  }
  const pid = Number(text.trim())
  if (!Number.isSafeInteger(pid) || pid <= 1) return null
  const who = await identify(pid)
  const args = who && (await argumentsOf(pid))
  const at = args?.indexOf('--pid-file') ?? -1
  return who && args && at >= 0 && args[at + 1] === file ? who : null
}

/** Ends the process and removes its files; absent is fine. */
export async function stopExport(vm: ImageVm, name: string): Promise<void> {
  const who = await findExport(vm, name)
  if (who) {
    await vm.host.effects.run('program: end qemu-nbd', () => signalProcess(who, 'SIGTERM'))
    if (!(await waitForExit(who, 5_000))) await signalProcess(who, 'SIGKILL')
    if (!(await waitForExit(who, 5_000)))
      throw new HoldfastError('StillInUse', `qemu-nbd (pid ${who.pid}) does not end`, {
        hint: 'It waits for storage of the host.',
      })
  }
  for (const ending of ['sock', 'pid', 'log'])
    await vm.host.effects.run('file: remove', () => rm(join(vm.runDir, `${name}.${ending}`), { force: true }))
}

/** Names of all exports that left a file behind, running or not. */
export async function listExports(vm: ImageVm): Promise<readonly { readonly name: string; readonly opKey: OpKey }[]> {
  let files: string[]
  try {
    files = await readdir(vm.runDir)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new HoldfastError('AccessDenied', `cannot list ${vm.runDir}`, { cause: error })
  }
  const names = new Set(files.flatMap((file) => /^(.+\.\d{1,3})\.(?:sock|pid|log)$/.exec(file)?.[1] ?? []))
  return [...names].sort().flatMap((name) => {
    const opKey = name.slice(0, name.lastIndexOf('.'))
    return isOpKey(opKey) ? [{ name, opKey }] : []
  })
}

function pidFile(vm: ImageVm, name: string): string {
  return join(vm.runDir, `${name}.pid`)
}

async function listens(socket: string): Promise<boolean> {
  try {
    ;(await dialUnix(socket, 'qemu-nbd', AbortSignal.timeout(2_000))).destroy()
    return true
  } catch (error) {
    if (error instanceof HoldfastError && error.data?.['gone'] === true) return false
    throw error
  }
}

async function startFailure(disk: ImageDisk, log: string, exit: string): Promise<HoldfastError> {
  const text = (await readFile(log, 'utf8')).trim().slice(-1000)
  const busy = /Failed to get (shared )?"[a-z ]+" lock/i.test(text)
  return new HoldfastError(
    busy ? 'Busy' : 'HypervisorRefused',
    busy ? `${disk.file} is open in another process` : `qemu-nbd cannot serve ${disk.file} (${exit}): ${text}`,
    { native: { code: exit, text }, ...(busy && { retryAfter: 30_000 }) },
  )
}
