import { spawn, type ChildProcess } from 'node:child_process'
import { open } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { HoldfastError, toHoldfastError, type Millis } from '../base/index.ts'
import type { Appliance } from '../appliance/index.ts'
import { answerNbd, type BlockSource, type NbdConversation } from '../nbd/index.ts'
import { requireProgram } from '../drivers/transport/index.ts'
import { SftpClient } from './sftp/client.ts'

/** Nobody on Debian; the process can read nothing but what it was handed. */
const nobody = 65_534
const guestMiB = 384
/** Guest, translated code and QEMU itself; more is refused by the kernel. */
const addressSpaceMiB = 2_048
const consoleBytes = 16 * 1024
const firstSocket = 6
/** For its last words, after the conversation with it has ended. */
const lastWordsMs = 2_000

export interface MachineOptions {
  readonly appliance: Appliance
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
    const channel = pipes[firstSocket - 1] as Socket
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
    const [program = '', ...args] = [...restraints(), qemu, ...machineArguments(options)]
    const child = spawn(program, args, {
      // Its folder and its environment tell it nothing.
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', kernel.fd, initrd.fd, 'pipe', ...options.disks.map(() => 'pipe' as const)],
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

  async #ready({ startMs, signal }: MachineOptions): Promise<void> {
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
      await this.sftp.greet()
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

/**
 * Ends with us, may become nothing more than it is, and takes no more memory than this. Between fork and prctl(2) we may
 * die unnoticed; so the shell in between compares its parent with us. The signal is asked for after the change of user,
 * which would take it back.
 */
function restraints(): readonly string[] {
  for (const needed of ['setpriv', 'prlimit']) requireProgram(needed)
  const user =
    process.getuid?.() === 0
      ? [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--inh-caps=-all', '--bounding-set=-all']
      : []
  const check = '[ "$PPID" = "$1" ] || exit 125; shift; exec "$@"'
  return [
    ...['setpriv', ...user, '--no-new-privs', '--'],
    ...['setpriv', '--pdeathsig', 'KILL', '--', 'sh', '-c', check, 'sh', String(process.pid)],
    ...['prlimit', `--as=${addressSpaceMiB * 1024 * 1024}`, '--core=0', '--fsize=0', '--'],
  ]
}

function machineArguments({ disks, name, startMs }: MachineOptions): readonly string[] {
  // A mount that hangs is given up before the host gives up the machine.
  const mount = Math.floor((startMs / 1000 / 2) * 50)
  const append = `console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on no_timer_check lsm= audit=0 cryptomgr.notests holdfast.disks=${disks.length} holdfast.mount=${mount}`
  return [
    ...['-name', name, '-M', 'q35', '-accel', 'tcg,thread=multi,tb-size=128', '-cpu', 'max', '-m', String(guestMiB)],
    ...['-smp', '1', '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-nic', 'none'],
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...['-kernel', '/proc/self/fd/3', '-initrd', '/proc/self/fd/4', '-append', append],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...['-chardev', `socket,id=files,fd=${firstSocket - 1}`, '-device', 'virtio-serial-pci'],
    ...['-device', 'virtserialport,chardev=files,name=holdfast.files'],
    ...disks.flatMap((_, n) => [
      '-blockdev',
      JSON.stringify({
        ...{ driver: 'nbd', 'node-name': `d${n}`, 'read-only': true, export: 'disk' },
        server: { type: 'fd', str: String(firstSocket + n) },
      }),
      '-device',
      `virtio-blk-pci,drive=d${n},serial=d${n}`,
    ]),
  ]
}
