import { untrack } from 'svelte'

const quietMs = 400

/** What `of` says, once nobody has changed it for a moment: whoever asks the server about a draft asks about this. */
export function settled<T>(of: () => T): { readonly value: T } {
  let value = $state.raw(untrack(of))
  $effect(() => {
    const next = of()
    const timer = setTimeout(() => (value = next), quietMs)
    return () => clearTimeout(timer)
  })
  return {
    get value() {
      return value
    },
  }
}
