import type { Tone } from '#lib/state/tone.ts'

export interface Toast {
  readonly id: number
  readonly tone: Tone
  readonly text: string
  readonly link?: { readonly href: string; readonly label: string }
}

let last = 0
export const toasts = $state<Toast[]>([])

/** Says what an act of the reader led to. Failures stay until dismissed. */
export function toast(what: Omit<Toast, 'id'>): void {
  last += 1
  const id = last
  toasts.push({ ...what, id })
  if (toasts.length > 3) toasts.shift()
  if (what.tone !== 'fail') setTimeout(() => dismiss(id), 8000)
}

export function dismiss(id: number): void {
  const at = toasts.findIndex((t) => t.id === id)
  if (at >= 0) toasts.splice(at, 1)
}
