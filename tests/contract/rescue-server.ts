/** The rescue reader as a program that is run hundreds of times: a Python of its own for each would be most of the time. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'

export const rescue = new URL('../../rescue/rescue.py', import.meta.url).pathname
const server = new URL('./rescue-server.py', import.meta.url).pathname

/** Debian's own interpreter comes first: it is the one that has Debian's packages. */
export function findPython(): string {
  const wanted = 'import argon2, cryptography, zstandard'
  const found = [process.env['HOLDFAST_RESCUE_PYTHON'], '/usr/bin/python3', 'python3'].find(
    (name) => name !== undefined && spawnSync(name, ['-c', wanted]).status === 0,
  )
  if (found !== undefined) return found
  throw new Error(
    'No Python has what the rescue reader needs. Install python3-cryptography, python3-argon2 and python3-zstandard, ' +
      'or name an interpreter that has them in HOLDFAST_RESCUE_PYTHON (rescue/README.md).',
  )
}

export interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Ranges of a file that are no hole; first and behind the last byte. */
export type Extents = readonly (readonly [number, number])[]

/** Each run is a fork of one interpreter that has imported everything; one run at a time. */
export class RescueServer implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #answers: AsyncIterator<string>
  readonly #folder: string

  /** `folder`: for what the runs print. */
  constructor(python: string, folder: string) {
    this.#folder = folder
    this.#child = spawn(python, [server, rescue], { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#child
    if (stdout === null) throw new Error('no pipe')
    this.#lines = createInterface({ input: stdout })
    this.#answers = this.#lines[Symbol.asyncIterator]()
  }

  async run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
    const [out, err] = [join(this.#folder, 'rescue.out'), join(this.#folder, 'rescue.err')]
    const { code } = (await this.#ask({ args, env, out, err })) as { code: number }
    const outcome = { code, out: readFileSync(out, 'utf8'), err: readFileSync(err, 'utf8') }
    for (const file of [out, err]) rmSync(file)
    return outcome
  }

  async extents(file: string): Promise<Extents> {
    return ((await this.#ask({ extents: file })) as { extents: Extents }).extents
  }

  async #ask(request: object): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`)
    const answer = await this.#answers.next()
    if (answer.done === true) throw new Error('the interpreter has ended')
    return JSON.parse(answer.value) as unknown
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.stdin?.end()
    await ended
    this.#lines.close()
  }
}
