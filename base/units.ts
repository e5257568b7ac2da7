declare const brand: unique symbol
export type Brand<T, B extends string> = T & { readonly [brand]: B }

/** Byte count or offset: integer, 0 … 2^53−1. Build with `bytes(n)`, which rejects anything else. */
export type Bytes = Brand<number, 'Bytes'>
/** A duration in milliseconds: integer ≥ 0. Build with `millis(n)`. */
export type Millis = Brand<number, 'Millis'>
/** RFC 3339, UTC, with milliseconds. Build with `instant(epochMs)`. */
export type Instant = Brand<string, 'Instant'>

export const KiB = 1024
export const MiB = 1024 * KiB
export const GiB = 1024 * MiB
export const TiB = 1024 * GiB

export function bytes(n: number): Bytes {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`not a byte count: ${n}`)
  return n as Bytes
}

export function millis(n: number): Millis {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`not a duration in milliseconds: ${n}`)
  return n as Millis
}

/** `epochMs`: Unix milliseconds. */
export function instant(epochMs: number): Instant {
  return new Date(epochMs).toISOString() as Instant
}

const steps = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** `formatBytes(1536)` is `1.5 KiB`: binary units, at most one decimal, for people only. */
export function formatBytes(n: number): string {
  let value = n
  let step = 0
  while (value >= 1024 && step < steps.length - 1) {
    value /= 1024
    step += 1
  }
  const digits = step === 0 || value >= 100 ? 0 : 1
  return `${value.toFixed(digits)} ${steps[step] ?? 'B'}`
}

const sizeText = /^(\d+(?:\.\d+)?)\s*(?:([KMGTP])(?:iB)?|B)?$/i

/** Bytes of a text such as `500GiB`, `1.5T` or `4096`: binary units. undefined: not a size. */
export function parseBytes(text: string): number | undefined {
  const [, number, unit] = sizeText.exec(text.trim()) ?? []
  if (number === undefined) return undefined
  const value = Math.round(Number(number) * 1024 ** ' KMGTP'.indexOf(unit?.toUpperCase() ?? ' '))
  return Number.isSafeInteger(value) ? value : undefined
}

/** `2026-11-21 02:41 UTC`: an instant (Unix ms) in a sentence for people whose time zone nobody knows. */
export function formatInstant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** `formatDuration(83_000)` is `1 min 23 s`; below one second milliseconds are shown. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  const whole = Math.round(seconds)
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`
  const hours = Math.floor(minutes / 60)
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
}

const periods = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/** `durationText(5_400_000)` is `1h30m`: exact, the way `parseDuration` reads it. */
export function durationText(ms: number): string {
  let left = ms
  const parts: string[] = []
  for (const [unit, size] of periods) {
    const n = Math.floor(left / size)
    if (n > 0) parts.push(`${n}${unit}`)
    left -= n * size
  }
  return parts.length === 0 ? '0s' : parts.join('')
}

const durationWords = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/

/** Milliseconds of a text such as `4h`, `30d`, `1h30m`, `2w`. undefined: not a duration. */
export function parseDuration(text: string): number | undefined {
  const compact = text.replaceAll(/\s+/g, '')
  const [, ...numbers] = durationWords.exec(compact) ?? []
  if (compact === '' || numbers.length === 0) return undefined
  const sizes = [604_800_000, ...periods.map(([, size]) => size)]
  const ms = numbers.reduce((sum, n, index) => sum + Number(n ?? 0) * (sizes[index] ?? 0), 0)
  return Number.isSafeInteger(ms) ? ms : undefined
}

/** `bytesText(209_715_200)` is `200MiB`: exact, the way `parseBytes` reads it. */
export function bytesText(n: number): string {
  const step = [4, 3, 2, 1].find((power) => n > 0 && n % 1024 ** power === 0) ?? 0
  return step === 0 ? String(n) : `${n / 1024 ** step}${steps[step] ?? ''}`
}
