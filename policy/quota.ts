import type { KeepRules } from './retention.ts'

/**
 * Why another point made by hand is refused; null: there is room. Scheduled points age by rules, and of publications and
 * safety points the oldest go; of what somebody made by hand nothing goes unasked while there is room for it.
 */
export function manualQuotaProblem(
  vm: string,
  have: number,
  keep: Pick<KeepRules, 'manual'>,
  most: number,
): string | null {
  const room = Math.min(keep.manual ?? most, most)
  if (have < room) return null
  return `${vm} has ${have} ${have === 1 ? 'point' : 'points'} made by hand, and its policy keeps ${room}`
}
