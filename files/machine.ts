import { spawn, type ChildProcess } from 'node:child_process'
import { open } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { HoldfastError, toHoldfastError, type Millis } from '../base/index.ts'
import type { Appliance } from '../appliance/index.ts'
import { answerNbd, type BlockSource, type NbdConversation } from '../nbd/index.ts'
import { requireProgram } from '../drivers/transport/index.ts'
import { hardware, isResumable, nothingThere } from './hardware.ts'
import { restrained } from './restraints.ts'
import { SftpClient } from './sftp/client.ts'

/** Places of what it is handed: the channel, its saved state, and then its disks. */
const filesSocket = 5
const stateFile = 6
const consoleBytes = 16 * 1024
const firstSocket = 7
/** For its last words, after the conversation with it has ended. */
const lastWordsMs = 2_000

export interface MachineOptions {
  readonly appliance: Appliance
  /** Its saved state (`state.ts`), so that it need not boot; null: it boots. */
  readonly state: string | null
  /** In their order; each is read-only for the guest. */
  readonly disks: readonly BlockSource[]
  /** Shown in the list of processes. */
  readonly name: string
  /** From power-on until all is mounted and the guest answers. */
  readonly startMs: Millis
  /** It is ended after so long, whatever it does. */
  readonly lifeMs: Millis
  /** One question. */
  readonly answerMs: Millis
  readonly onDiskError: (error: HoldfastError) => void
  readonly signal: AbortSignal
}

/**
 * A micro-VM without a network that has opened the file systems of these disks. A child that the kernel ends with us:
 * unprivileged, in QEMU's sandbox, bounded in memory and life; whatever happens in it, its disks are pairs of sockets whose
 * other ends are here, and it has nothing else.
 */
export class Machine implements AsyncDisposable {
  readonly sftp: SftpClient
  readonly #child: ChildProcess
  readonly #talks: readonly NbdConversation[]
  readonly #life: NodeJS.Timeout
  readonly #ended: Promise<void>
  #console = Buffer.alloc(0)
  #isEnded = false
  #silence: NodeJS.Timeout | undefined

  private constructor(child: ChildProcess, options: MachineOptions) {
    this.#child = child
    const pipes = child.stdio as unknown as readonly Socket[]
    const { disks, onDiskError } = options
    this.#talks = disks.map((source, n) =>
      answerNbd(pipes[firstSocket + n] as Socket, { exports: [{ name: 'disk', source }], onError: onDiskError }),
    )
    const channel = pipes[filesSocket] as Socket
    this.sftp = new SftpClient(channel, options.answerMs)
    // A machine that is not talked to any more is of no use, whatever it does: one that hangs would do so for hours.
    channel.once('close', () => {
      this.#silence = setTimeout(() => void this.end(), lastWordsMs)
    })
    for (const output of [child.stdout, child.stderr]) output?.on('data', (chunk: Buffer) => this.#said(chunk))
    this.#ended = new Promise((resolve) => {
      const over = (): void => {
        this.#isEnded = true
        clearTimeout(this.#life)
        clearTimeout(this.#silence)
        for (const talk of this.#talks) talk.cut()
        this.sftp.end(this.#failure('has ended'))
        resolve()
      }
      child.once('exit', over)
      child.once('error', over)
    })
    this.#life = setTimeout(() => void this.end(), options.lifeMs)
    this.#life.unref()
  }

  /** Resolves when everything that can be mounted is. Throws HypervisorTimeout, PackageMissing, HypervisorRefused. */
  static async start(options: MachineOptions): Promise<Machine> {
    options.signal.throwIfAborted()
    const qemu = requireProgram('qemu-system-x86_64')
    await using kernel = await open(options.appliance.kernel, 'r')
    await using initrd = await open(options.appliance.initrd, 'r')
    const isResumed = options.state !== null && isResumable(options.disks.length)
    await using state = isResumed ? await open(options.state, 'r') : null
    const [program = '', ...args] = [
      ...(await restrained('nobody', ['--fsize=0'])),
      qemu,
      ...machineArguments(options, isResumed),
    ]
    const child = spawn(program, args, {
      // Its folder and its environment tell it nothing.
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      detached: true,
      stdio: [
        ...(['ignore', 'pipe', 'pipe', kernel.fd, initrd.fd, 'pipe', state?.fd ?? 'ignore'] as const),
        ...options.disks.map(() => 'pipe' as const),
      ],
    })
    const machine = new Machine(child, options)
    try {
      await machine.#ready(options)
      return machine
    } catch (error) {
      await machine.end()
      // Its channel closes before it is gone; what it said last is worth more than that.
      if (toHoldfastError(error).code === 'HypervisorRefused') throw machine.#failure('did not start')
      throw error
    }
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Resolves when the process is gone. */
  get ended(): Promise<void> {
    return this.#ended
  }

  /** The last of what its kernel and its init said: for the log, never for a page. */
  get console(): string {
    return this.#console.toString('latin1').replaceAll(/[^\x20-\x7e\n]/g, '')
  }

  /** Idempotent. There is nothing to save. */
  async end(): Promise<void> {
    clearTimeout(this.#life)
    if (!this.#isEnded) this.#child.kill('SIGKILL')
    await this.#ended
    await Promise.all(this.#talks.map(({ ended }) => ended))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }

  async #ready({ startMs, signal, disks }: MachineOptions): Promise<void> {
    const late = setTimeout(() => {
      this.sftp.end(
        new HoldfastError('HypervisorTimeout', `the micro-VM did not open the disks within ${startMs} ms`, {
          native: { code: 'console', text: this.console.slice(-2000) },
        }),
      )
    }, startMs)
    const stop = (): void => this.sftp.end(new HoldfastError('Cancelled', 'the micro-VM is not wanted any more'))
    signal.addEventListener('abort', stop, { once: true })
    try {
      // What it waits for before it looks for disks. A mount that hangs it gives up before we give up the machine.
      const mountTicks = Math.floor((startMs / 1000 / 2) * 50)
      await this.sftp.greet(`${disks.length} ${mountTicks}\n`)
    } finally {
      clearTimeout(late)
      signal.removeEventListener('abort', stop)
    }
  }

  #said(chunk: Buffer): void {
    this.#console = Buffer.concat([this.#console, chunk]).subarray(-consoleBytes)
  }

  #failure(what: string): HoldfastError {
    const text = this.console.trim().slice(-2000)
    return new HoldfastError('HypervisorRefused', `the micro-VM ${what}`, {
      hint: 'A file system in the point may have broken it. Open the point again; leave out the disk if it happens again.',
      native: { code: String(this.#child.exitCode ?? this.#child.signalCode ?? ''), text },
    })
  }
}

function machineArguments({ disks, name }: MachineOptions, isResumed: boolean): readonly string[] {
  const drives = disks.map((_, n) => ({
    ...{ driver: 'nbd', 'read-only': true, export: 'disk' },
    server: { type: 'fd', str: String(firstSocket + n) },
  }))
  return [
    ...['-name', name, '-chardev', `socket,id=files,fd=${filesSocket}`],
    ...hardware([...drives, ...nothingThere(drives.length)]),
    ...(isResumed ? ['-incoming', `fd:${stateFile}`] : []),
  ]
}
