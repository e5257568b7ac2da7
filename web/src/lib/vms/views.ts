import type { Vm } from '#lib/api/types.ts'

export interface TagCount {
  readonly tag: string
  readonly vms: number
  /** The filter asks for it already. */
  readonly isAsked: boolean
}

const wordsOf = (q: string): string[] => q.split(/\s+/).filter((word) => word !== '')
/** A filter has no spaces inside a word, and finds parts: the longest part of a tag says most. */
const wordOf = (tag: string): string => {
  const [longest = ''] = tag
    .toLowerCase()
    .split(/\s+/)
    .toSorted((a, b) => b.length - a.length)
  return `tag:${longest}`
}

/** Tags of these VMs, the most used first. */
export function tagsOf(vms: readonly Pick<Vm, 'tags'>[], q: string): TagCount[] {
  const counts = new Map<string, number>()
  for (const { tags } of vms) for (const tag of new Set(tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1)
  const asked = new Set(wordsOf(q.toLowerCase()))
  return [...counts]
    .map(([tag, n]) => ({ tag, vms: n, isAsked: asked.has(wordOf(tag)) }))
    .toSorted((a, b) => b.vms - a.vms || a.tag.localeCompare(b.tag, 'en'))
}

/** The filter with the tag in it, or without it if it was there. */
export function toggleTag(q: string, tag: string): string {
  const word = wordOf(tag)
  const words = wordsOf(q)
  const others = words.filter((one) => one.toLowerCase() !== word)
  return (others.length < words.length ? others : [...words, word]).join(' ')
}

/** A list of VMs that somebody comes back to. */
export interface SavedView {
  readonly name: string
  /** Address of the list, from `/vms` on. */
  readonly href: string
}

export const mostViews = 20

/** What a browser remembered, whatever became of it: what is no view is left out. */
export function readViews(text: string | null): SavedView[] {
  try {
    const said: unknown = JSON.parse(text ?? '[]')
    if (!Array.isArray(said)) return []
    return said.flatMap((one: unknown): SavedView[] => {
      if (typeof one !== 'object' || one === null || !('name' in one) || !('href' in one)) return []
      const { name, href } = one
      return typeof name === 'string' && typeof href === 'string' && /^\/vms(\?|$)/.test(href) ? [{ name, href }] : []
    })
  } catch {
    return []
  }
}

/** With this one, in the place of one of its name; by name. */
export function withView(views: readonly SavedView[], view: SavedView): SavedView[] {
  return [...views.filter(({ name }) => name !== view.name), view].toSorted((a, b) =>
    a.name.localeCompare(b.name, 'en'),
  )
}
