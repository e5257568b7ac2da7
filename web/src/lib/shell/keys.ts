/** What a key press means outside of form fields. */
export type KeyAct =
  | { readonly do: 'go'; readonly to: string }
  | { readonly do: 'search' | 'help' | 'next-row' | 'previous-row' }

const places: { readonly [key: string]: string } = { o: '/', v: '/vms', r: '/runs', d: '/drills', e: '/repositories' }
const plain: { readonly [key: string]: KeyAct } = {
  '/': { do: 'search' },
  '?': { do: 'help' },
  j: { do: 'next-row' },
  k: { do: 'previous-row' },
}

/** How long `g` waits for its second key. */
const chordMs = 1200

/**
 * `pending` is when `g` was pressed, or null. Returns the act, if the key has one, and what is pending afterwards.
 * A key pressed with Ctrl, Alt or Meta belongs to the browser.
 */
export function interpretKey(
  key: { readonly key: string; readonly ctrlKey: boolean; readonly altKey: boolean; readonly metaKey: boolean },
  pending: number | null,
  now: number,
): { readonly act: KeyAct | null; readonly pending: number | null } {
  if (key.ctrlKey || key.altKey || key.metaKey) return { act: null, pending: null }
  if (pending !== null && now - pending < chordMs) {
    const to = places[key.key]
    return { act: to === undefined ? null : { do: 'go', to }, pending: null }
  }
  if (key.key === 'g') return { act: null, pending: now }
  return { act: plain[key.key] ?? null, pending: null }
}
