import { appendFileSync, fsyncSync, openSync, closeSync, readFileSync } from 'node:fs'
import { GiB, KiB, MiB } from '../../base/index.ts'
import { openRepository, type OpenOptions, type Repository, type SourceExtent } from '../../repository/index.ts'
import { ModelDisk, seededBytes } from '../../repository/testing/index.ts'

/** What every process of a soak is told: as JSON in its one argument. */
export interface SoakTask {
  readonly open: OpenOptions
  /** Of this process alone: one JSON object in each line. */
  readonly log: string
  /** Number of the VM; for the collector -1. */
  readonly writer: number
}

/** Before a session begins: what its point will hold. */
export interface Begun {
  readonly begun: string
  readonly session: string
  readonly attempt: number
  /** Its content is `diskAt(writer, n)`. */
  readonly n: number
  readonly createdMs: number
  readonly parentStem: string | null
  readonly parentN: number | null
}

export type LogLine =
  | Begun
  /** A commit has reported success. */
  | { readonly done: string; readonly stem: string }
  /** About to get a tombstone. */
  | { readonly removing: string }
  | { readonly collected: number; readonly bytes: number; readonly outcome: string; readonly rssMiB: number }
  | { readonly failed: string; readonly message: string }
  | { readonly rssMiB: number }

/** Two pages, so that roots and pages both matter. */
const SIZE = GiB + 16 * MiB
const BASE_MIB = 12
/** Contents that all VMs draw from, so that they share packs. */
const POOL = 48

interface Write {
  readonly at: number
  readonly length: number
  readonly seed: number
}

/** What generation n changes; n = 0 is the first content. */
function writesOf(writer: number, n: number): Write[] {
  const draw = new Uint32Array(seededBytes(7919 * (writer + 1) + n, 256).slice().buffer)
  // Few places, in both pages and across their border: a model disk is memory of the process that is judged by its own.
  const at = (index: number) => GiB * ((draw[index] ?? 0) % 2) + (((draw[index] ?? 0) >>> 1) % 240) * 64 * KiB
  if (n === 0) {
    return Array.from({ length: BASE_MIB }, (_, index) => ({ at: index * 3 * MiB, length: MiB, seed: index % POOL }))
  }
  return Array.from({ length: 6 }, (_, index) => {
    const isShared = (draw[index + 20] ?? 0) % 2 === 0
    const place = isShared ? Math.floor(at(index) / MiB) * MiB : at(index)
    const seed = isShared ? (draw[index + 40] ?? 0) % POOL : 1_000_000 * (writer + 1) + 10 * n + index
    return { at: place, length: isShared ? MiB : 256 * KiB, seed }
  })
}

/** The disk of a VM after its n-th generation: the same wherever it is computed. */
export function diskAt(writer: number, n: number): ModelDisk {
  const disk = new ModelDisk(SIZE)
  for (let i = 0; i <= n; i++) {
    for (const { at, length, seed } of writesOf(writer, i)) disk.write(at, seededBytes(seed, length))
  }
  return disk
}

/** What changed from generation `from` to `to`. Sorted, disjoint. */
export function changesBetween(writer: number, from: number, to: number): SourceExtent[] {
  const changed = Array.from({ length: to - from }, (_, index) => writesOf(writer, from + index + 1))
    .flat()
    .map(({ at, length }) => ({ from: at, to: at + length }))
    .sort((a, b) => a.from - b.from)
  const merged: { from: number; to: number }[] = []
  for (const extent of changed) {
    const last = merged.at(-1)
    if (last !== undefined && extent.from <= last.to) last.to = Math.max(last.to, extent.to)
    else merged.push({ ...extent })
  }
  return merged.map(({ from: offset, to }) => ({ offset, length: to - offset, kind: 'data' as const }))
}

/** Durable before it returns: what is killed next must not forget it. */
export function say(log: string, line: LogLine): void {
  const file = openSync(log, 'a')
  try {
    appendFileSync(file, `${JSON.stringify(line)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Whole lines only: the last one of a killed process may be torn. */
export function heard(log: string): LogLine[] {
  let text: string
  try {
    text = readFileSync(log, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .flatMap((line) => (line.endsWith('}') ? [JSON.parse(line) as LogLine] : []))
}

export function taskOf(argv: readonly string[]): SoakTask {
  return JSON.parse(argv[2] ?? '') as SoakTask
}

/** The repository, whenever the store is there again. */
export async function openWhenReady(open: OpenOptions, log: string): Promise<Repository> {
  for (;;) {
    try {
      return await openRepository(open)
    } catch (error) {
      note(log, error)
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
  }
}

export function note(log: string, error: unknown): void {
  const { code = 'none', message = String(error) } = error as { code?: string; message?: string }
  say(log, { failed: code, message })
}

/** Largest resident set so far, from the kernel. */
export function peakRssMiB(): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return Math.round(Number(line?.[1] ?? 0) / 1024)
}
