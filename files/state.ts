import { createHash, randomBytes } from 'node:crypto'
import { createWriteStream, existsSync } from 'node:fs'
import { mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn, type ChildProcess } from 'node:child_process'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Appliance } from '../appliance/index.ts'
import { HoldfastError, MiB, type ErrorCode } from '../base/index.ts'
import { QmpClient } from '../drivers/qmp/index.ts'
import { requireProgram, runProgram } from '../drivers/transport/index.ts'
import { hardware, nothingThere } from './hardware.ts'
import { restrained } from './restraints.ts'

const waitsForDisks = 'holdfast: waits for its disks'
const bootMs = 120_000
const saveMs = 60_000
const lookEveryMs = 50
const settledMs = 10 * 60_000

/** The saved state of this guest on this QEMU, if there is one. */
export async function savedState(appliance: Appliance): Promise<string | null> {
  const file = await stateFile(appliance)
  return existsSync(file) ? file : null
}

/**
 * Boots the guest once until it waits for its disks, and saves it beside the guest, so that none has to boot again:
 * about 10 s and 150 MiB. Nothing of a point is in it. May be called again, and at the same time; it is kept for the
 * version of QEMU and the hardware that made it. Throws HypervisorRefused, HypervisorTimeout, PackageMissing.
 */
export async function saveState(appliance: Appliance, signal: AbortSignal): Promise<void> {
  const file = await stateFile(appliance)
  if (existsSync(file)) return removeOthers(appliance, file)
  const work = await mkdtemp(join(tmpdir(), 'holdfast-state-'))
  const part = `${file}.${randomBytes(4).toString('hex')}.part`
  try {
    await bootAndSave(appliance, work, part, signal)
    // Whole, or not there: also after a power cut.
    await using written = await open(part, 'r+')
    await written.sync()
    await rename(part, file)
    await removeOthers(appliance, file)
  } finally {
    await rm(part, { force: true })
    await rm(work, { recursive: true, force: true })
  }
}

/** After it broke a machine that comes up when it boots: whoever asks next saves it anew. */
export async function dropState(appliance: Appliance): Promise<void> {
  await rm(await stateFile(appliance), { force: true })
}

/** It fits the very QEMU and hardware alone. */
async function stateFile(appliance: Appliance): Promise<string> {
  const { out } = await runProgram(requireProgram('qemu-system-x86_64'), ['--version'])
  const made = createHash('sha256').update(JSON.stringify([out, hardware(nothingThere(0))]))
  return join(appliance.folder, `state-${made.digest('hex').slice(0, 16)}`)
}

/** Of another QEMU, and what killed ones left; not what somebody else may be writing now. */
async function removeOthers({ folder }: Appliance, file: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const other = join(folder, name)
    if (!name.startsWith('state-') || other === file) continue
    const { mtimeMs } = await stat(other)
    if (Date.now() - mtimeMs > settledMs) await rm(other, { force: true })
  }
}

async function bootAndSave(appliance: Appliance, work: string, part: string, signal: AbortSignal): Promise<void> {
  await using kernel = await open(appliance.kernel, 'r')
  await using initrd = await open(appliance.initrd, 'r')
  const monitor = join(work, 'qmp')
  const [program = '', ...before] = await restrained('ourselves', [])
  const child = spawn(
    program,
    [
      ...[
        ...before,
        requireProgram('qemu-system-x86_64'),
        '-name',
        'holdfast-files-state',
        '-chardev',
        'socket,id=files,fd=5',
      ],
      ...hardware(nothingThere(0)),
      ...['-qmp', `unix:${monitor},server=on,wait=off`],
    ],
    {
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', kernel.fd, initrd.fd, 'pipe'],
    },
  )
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  try {
    await untilItWaits(child, signal)
    await using qmp = await QmpClient.connect(monitor, { signal, peer: 'the monitor of the micro-VM' })
    await save(qmp, join(work, 'state'), part)
  } finally {
    child.kill('SIGKILL')
    await ended
    for (const pipe of child.stdio) pipe?.destroy()
  }
}

async function untilItWaits(child: ChildProcess, signal: AbortSignal): Promise<void> {
  let said = ''
  const refusal = (code: ErrorCode, what: string): HoldfastError =>
    new HoldfastError(code, what, { native: { code: 'console', text: said.slice(-2000) } })
  const waits = Promise.withResolvers<void>()
  const late = setTimeout(
    () => waits.reject(refusal('HypervisorTimeout', `the micro-VM did not boot within ${bootMs} ms`)),
    bootMs,
  )
  const stop = (): void => waits.reject(refusal('Cancelled', 'the micro-VM is not wanted any more'))
  const over = (): void => waits.reject(refusal('HypervisorRefused', 'the micro-VM did not boot'))
  child.once('exit', over)
  child.once('error', over)
  for (const output of [child.stdout, child.stderr])
    output?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('latin1')).slice(-16_384)
      if (said.includes(waitsForDisks)) waits.resolve()
    })
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    await waits.promise
  } finally {
    clearTimeout(late)
    signal.removeEventListener('abort', stop)
  }
}

/** QEMU sends its state to a socket of ours: it opens no file, here as elsewhere. */
async function save(qmp: QmpClient, socket: string, part: string): Promise<void> {
  const written = Promise.withResolvers<void>()
  // Whoever waits for it meets its failure; until then QEMU may have told another one.
  written.promise.then(undefined, () => undefined)
  const server = createServer((connection) => {
    pipeline(connection, createWriteStream(part, { mode: 0o600 })).then(written.resolve, written.reject)
  })
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(socket, resolve)
    })
    // Quickly: it stands still meanwhile in any case.
    await qmp.execute('migrate-set-parameters', { 'max-bandwidth': 1024 * MiB })
    await qmp.execute('migrate', { uri: `unix:${socket}` })
    await untilSaved(qmp)
    await written.promise
  } finally {
    server.close()
  }
}

async function untilSaved(qmp: QmpClient): Promise<void> {
  const until = Date.now() + saveMs
  for (;;) {
    const { status, 'error-desc': why } = await qmp.execute<{ status?: string; 'error-desc'?: string }>('query-migrate')
    if (status === 'completed') return
    if (status === 'failed' || status === 'cancelled')
      throw new HoldfastError('HypervisorRefused', `the micro-VM was not saved: ${why ?? status}`)
    if (Date.now() > until) throw new HoldfastError('HypervisorTimeout', `the micro-VM was not saved in ${saveMs} ms`)
    await sleep(lookEveryMs)
  }
}
