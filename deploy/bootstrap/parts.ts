/** The parts of `npm test`, in their order. */
const parts = ['check', 'contract', 'e2e', 'chaos'] as const

export type Part = (typeof parts)[number]

/** Those that were asked for, all if none was; the names that are no part are a mistake, not an empty run. */
export function partsToRun(
  asked: readonly string[],
): { readonly run: readonly Part[] } | { readonly unknown: readonly string[]; readonly known: readonly string[] } {
  const unknown = asked.filter((name) => !parts.some((part) => part === name))
  if (unknown.length > 0) return { unknown, known: parts }
  return { run: parts.filter((part) => asked.length === 0 || asked.includes(part)) }
}
