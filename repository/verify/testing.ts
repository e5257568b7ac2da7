/** A fresh copy of the golden repository for each test of verify, and ways to damage it. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HoldfastError } from '../../base/index.ts'
import { readTail, type TocEntry } from '../format/index.ts'
import { openRepositoryWith, type OpenedRepository } from '../repository.ts'
import { connectTo, type Connect, type ObjectStore } from '../store/index.ts'
import type { VerifyLevel, VerifyReport } from '../types.ts'
import { WorkerPool } from '../workers/index.ts'

const golden = new URL('../golden/r1-v1/', import.meta.url).pathname
/** The recovery key opens without the work that a passphrase costs. */
const text = /^recovery key: (.*)$/m.exec(readFileSync(join(golden, 'secrets.txt'), 'utf8'))?.[1] ?? ''

/** One for all copies: starting threads costs more than what they do here. */
const pool = new WorkerPool(1)

export class Copy implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'verify-'))
  readonly path = join(this.folder, 'repository')
  readonly warnings: string[] = []

  constructor() {
    cpSync(join(golden, 'repository'), this.path, { recursive: true })
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** `wrap` puts something between the repository and its store. */
  open(wrap: (store: ObjectStore) => ObjectStore = (store) => store): Promise<OpenedRepository> {
    const location = { kind: 'posix', path: this.path } as const
    const connect: Connect = () => wrap(connectTo(location)())
    return openRepositoryWith(
      { location, secret: { kind: 'recovery', text }, cacheDir: join(this.folder, 'cache') },
      { connect, pool, warn: (message) => this.warnings.push(message) },
    )
  }

  /** Object names under a prefix, sorted. */
  names(prefix: string): string[] {
    const walk = (at: string): string[] =>
      readdirSync(join(this.path, at), { withFileTypes: true }).flatMap((entry) => {
        const name = at === '' ? entry.name : `${at}/${entry.name}`
        return entry.isDirectory() ? walk(name) : [name]
      })
    return walk('')
      .filter((name) => name.startsWith(prefix))
      .sort()
  }

  read(name: string): Buffer {
    return readFileSync(join(this.path, name))
  }

  write(name: string, bytes: Uint8Array): void {
    writeFileSync(join(this.path, name), bytes)
  }

  size(name: string): number {
    return statSync(join(this.path, name)).size
  }

  remove(name: string): void {
    rmSync(join(this.path, name))
  }

  /** Flips one bit. */
  flip(name: string, at: number, bit = 0): void {
    const bytes = this.read(name)
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at)
    this.write(name, bytes)
  }

  toc(pack: string): readonly TocEntry[] {
    const bytes = this.read(pack)
    return readTail(bytes, bytes.length).entries
  }
}

const { signal } = new AbortController()

export function verify(
  repository: OpenedRepository,
  level: VerifyLevel,
  more: { stems?: readonly string[]; quarantine?: boolean } = {},
): Promise<VerifyReport> {
  return repository.verify({ level, signal, onProgress: () => undefined, ...more })
}

/** A store whose reads of an object, or other methods that name one, fail as they are told to. */
export function failing(
  when: (name: string, call: number) => HoldfastError | undefined,
  methods: readonly (keyof ObjectStore)[] = ['getRange', 'get'],
): (store: ObjectStore) => ObjectStore {
  const calls = new Map<string, number>()
  return (store: ObjectStore): ObjectStore =>
    new Proxy(store, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target)
        if (typeof value !== 'function') return value
        return async (...args: unknown[]): Promise<unknown> => {
          const [name] = args
          if (methods.some((method) => method === property) && typeof name === 'string') {
            const call = (calls.get(name) ?? 0) + 1
            calls.set(name, call)
            const error = when(name, call)
            if (error !== undefined) throw error
          }
          return await (value.apply(target, args) as Promise<unknown>)
        }
      },
    })
}
export const away = (): HoldfastError => new HoldfastError('StoreUnavailable', 'input/output error')
