/** The parts of `npm test`, in their order. */
const usual = ['check', 'contract', 'e2e', 'chaos'] as const
/** Runs only when it is asked for: it builds servers from source, minutes each (`npm run test:stores`). */
const parts = [...usual, 'stores'] as const

export type Part = (typeof parts)[number]

/** Those that were asked for, the usual ones if none was; names that are no part are a mistake, not an empty run. */
export function partsToRun(
  asked: readonly string[],
): { readonly run: readonly Part[] } | { readonly unknown: readonly string[]; readonly known: readonly string[] } {
  const unknown = asked.filter((name) => !parts.some((part) => part === name))
  if (unknown.length > 0) return { unknown, known: parts }
  return { run: asked.length === 0 ? usual : parts.filter((part) => asked.includes(part)) }
}
