import type { IconName } from '#lib/icons/names.ts'

/** The six states of the product. Every word an operator reads about a state belongs to one of them. */
export type Tone = 'ok' | 'run' | 'warn' | 'fail' | 'idle' | 'unknown'

/** How a state is shown: icon, word and colour together, never colour alone. */
export interface Look {
  readonly tone: Tone
  readonly icon: IconName
  readonly word: string
}

export const toneIcon: Record<Tone, IconName> = {
  ok: 'ok',
  run: 'run',
  warn: 'warn',
  fail: 'fail',
  idle: 'idle',
  unknown: 'unknown',
}

export function look(tone: Tone, word: string, icon: IconName = toneIcon[tone]): Look {
  return { tone, icon, word }
}
