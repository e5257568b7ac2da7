const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** `126 ms`, `8.3 s`, `52 s`, `1 min 24 s`, `3 h 55 min`, `2 d 4 h`: at most two units, none of them zero. */
export function formatDuration(ms: number): string {
  const whole = Math.max(0, ms)
  if (whole < second) return `${Math.round(whole)} ms`
  if (whole < 9.95 * second) return `${(whole / second).toFixed(1)} s`
  return twoUnits(Math.round(whole / second) * second)
}

/** A duration that is still growing, in whole seconds, so that it ticks instead of trembling: `4 min 10 s`, `1 s`. */
export function formatElapsed(ms: number): string {
  return twoUnits(Math.max(1000, Math.floor(ms / second) * second))
}

/** An age or a wait in words; seconds only below two minutes: `38 s`, `4 min`, `29 h 32 min`, `18 d`. */
export function formatAge(ms: number): string {
  const whole = Math.max(0, ms)
  if (whole < minute) return `${Math.floor(whole / second)} s`
  if (whole < hour) return `${Math.floor(whole / minute)} min`
  if (whole < 2 * day) return twoUnits(Math.floor(whole / minute) * minute)
  return `${Math.floor(whole / day)} d`
}

/** A promise in its own unit: `4 h`, `24 h`, `7 d`. */
export function formatPromise(ms: number): string {
  if (ms % day === 0 && ms > day) return `${ms / day} d`
  return twoUnits(ms)
}

function twoUnits(ms: number): string {
  if (ms < minute) return `${Math.round(ms / second)} s`
  if (ms < hour) return pair(Math.floor(ms / minute), 'min', Math.floor((ms % minute) / second), 's')
  if (ms < 2 * day) return pair(Math.floor(ms / hour), 'h', Math.floor((ms % hour) / minute), 'min')
  return pair(Math.floor(ms / day), 'd', Math.floor((ms % day) / hour), 'h')
}

function pair(a: number, unit: string, b: number, smaller: string): string {
  return b === 0 ? `${a} ${unit}` : `${a} ${unit} ${b} ${smaller}`
}
