/** `*` any characters, `?` one; the whole text, case ignored. */
export function matchesPattern(pattern: string, text: string): boolean {
  const p = [...pattern.toLowerCase()]
  const t = [...text.toLowerCase()]
  let at = 0
  let star = -1
  let from = 0
  for (let i = 0; i < t.length;) {
    if (at < p.length && p[at] === '*') {
      star = at
      at += 1
      from = i
    } else if (at < p.length && (p[at] === '?' || p[at] === t[i])) {
      at += 1
      i += 1
    } else if (star >= 0) {
      // The star takes one character more; no other way back is needed, so this stays fast for any pattern.
      at = star + 1
      from += 1
      i = from
    } else return false
  }
  while (p[at] === '*') at += 1
  return at === p.length
}
