import type { DrillVerification } from '#lib/api/types.ts'
import type { IconName } from '#lib/icons/names.ts'
import type { Tone } from '#lib/state/tone.ts'

export function documentHref(id: string, format: 'html' | 'json'): string {
  return `/api/v1/drills/${encodeURIComponent(id)}/document?format=${format}`
}

/** Enough to tell keys apart; what is compared is the whole of it. */
export function shortKey(id: string): string {
  return `${id.slice(0, 8)}…${id.slice(-8)}`
}

interface Look {
  readonly icon: IconName
  readonly tone: Tone
  readonly word: string
}

/** A picture that is gone takes nothing from what was signed, and is said. */
export function verifiedLook({ genuine, picture }: DrillVerification): Look {
  if (!genuine) return { icon: 'fail', tone: 'fail', word: 'Not what was signed' }
  if (picture === 'missing') return { icon: 'warn', tone: 'warn', word: 'Genuine, the picture is no longer here' }
  return { icon: 'lock', tone: 'ok', word: 'Genuine' }
}
