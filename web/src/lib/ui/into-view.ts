import type { Attachment } from 'svelte/attachments'

/**
 * Where there is no room beside a list its details follow below: what was just chosen is brought into view. `key`: what is
 * shown, null: nobody has chosen it.
 */
export function intoView(key: string | null): Attachment<HTMLElement> {
  return (element) => {
    if (key !== null && element.getBoundingClientRect().top > innerHeight * 0.8)
      element.scrollIntoView({ block: 'start' })
  }
}
