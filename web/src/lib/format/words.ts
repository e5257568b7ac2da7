/** With a capital, as a sentence begins. Messages of errors begin small, because they also stand inside sentences. */
export function capital(text: string): string {
  return text.replace(/^./u, (first) => first.toUpperCase())
}

/** A whole sentence: a capital and a full stop, neither twice. */
export function sentence(text: string): string {
  const begun = capital(text.trim())
  return begun === '' || /[.!?…]$/u.test(begun) ? begun : `${begun}.`
}
