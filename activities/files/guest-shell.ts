import { HoldfastError, isHoldfastError, millis } from '../../base/index.ts'
import type { GuestAccess, HypervisorDriver, OpContext } from '../../drivers/index.ts'
import type { VmRef } from '../../drivers/values.ts'

/** Of one command in the guest; hashing a large file takes as long as reading it. */
const longestMs = millis(30 * 60_000)
/** A backup holds the guest frozen for seconds at most. */
const frozenAgainMs = 5_000
/** Agents start programs without one. */
const searchPath = 'PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; export PATH; '

interface Said {
  readonly exit: number
  readonly out: string
  readonly err: string
}

/** Short scripts in a guest that has a POSIX shell; arguments are never part of a script. */
export class GuestShell {
  readonly #guest: GuestAccess
  readonly #ctx: OpContext
  readonly #vm: VmRef

  /** Throws GuestAgentDisabled where the driver has no way into a guest. */
  constructor(driver: HypervisorDriver, ctx: OpContext, vm: VmRef) {
    if (driver.guest === null)
      throw new HoldfastError(
        'GuestAgentDisabled',
        `the ${driver.endpoint.platform} driver has no way into the guest`,
        {
          hint: 'Download the files, and bring them into the guest by its network.',
        },
      )
    this.#guest = driver.guest
    this.#ctx = ctx
    this.#vm = vm
  }

  async ask(script: string, args: readonly string[]): Promise<Said> {
    const command = {
      ...{ path: '/bin/sh', args: ['-c', searchPath + script, 'sh', ...args], timeout: longestMs },
      ...{ idempotent: true, credentialRef: null },
    }
    return await this.#patiently(() => this.#guest.run(this.#ctx, this.#vm, command))
  }

  /** Throws TargetWriteFailed with what the guest says. */
  async must(script: string, args: readonly string[]): Promise<string> {
    const { exit, out, err } = await this.ask(script, args)
    if (exit === 0) return out
    throw new HoldfastError(
      'TargetWriteFailed',
      `the guest ${this.#vm.name} could not: ${err.trim() || `exit ${exit}`}`,
      {
        hint: 'Look in the guest: is there room, and may its agent write there (SELinux, read-only mounts)?',
      },
    )
  }

  async write(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#patiently(() => this.#guest.writeFile(this.#ctx, this.#vm, path, content))
  }

  /** A guest that a backup has frozen answers again in seconds. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!isHoldfastError(error) || !/frozen state/i.test(error.native?.text ?? '')) throw error
      throw new HoldfastError('Busy', 'the guest is frozen for a backup', { retryAfter: frozenAgainMs, cause: error })
    }
  }
}
