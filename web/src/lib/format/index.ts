/** How numbers, amounts, durations and times are said. Pure functions; components and models share them. */
export { bytesFigure, bytesOf, byteUnit, formatBytes, formatBytesOf, formatRate } from './bytes.ts'
export { csvOf } from './csv.ts'
export { count, formatCount, formatRatio, listOf, percentOf } from './number.ts'
export { formatAge, formatDuration, formatElapsed, formatPromise } from './duration.ts'
export { clock, clockShort, dayAndTime, dayName, exact, relative, shortDay, zoneName } from './time.ts'
export { capital, sentence } from './words.ts'
