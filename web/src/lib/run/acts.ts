import type { NextAction } from '#lib/api/types.ts'
import type { IconName } from '#lib/icons/names.ts'

/** What the dashboard itself can do about a run; `null`: it is done elsewhere, the command or text says how. */
type RunAct = 'pause' | 'resume' | 'cancel' | 'retry' | 'retry-now'

export interface ActView {
  readonly act: RunAct | null
  readonly icon: IconName | null
  /** Asks for a reason or a confirmation first, so its label ends with an ellipsis. */
  readonly asks: boolean
}

/** One entry per action that the runbook may offer. */
export const actViews: Record<NextAction['id'], ActView> = {
  'step-done': { act: null, icon: 'user', asks: true },
  choose: { act: null, icon: 'user', asks: true },
  approve: { act: null, icon: 'user', asks: true },
  pause: { act: 'pause', icon: 'pause', asks: false },
  resume: { act: 'resume', icon: 'play', asks: false },
  cancel: { act: 'cancel', icon: null, asks: true },
  retry: { act: 'retry', icon: 'retry', asks: true },
  'start-again': { act: 'retry', icon: 'retry', asks: true },
  'retry-now': { act: 'retry-now', icon: 'retry', asks: false },
  'open-docs': { act: null, icon: 'ext', asks: false },
  'start-worker': { act: null, icon: null, asks: false },
  'free-space': { act: null, icon: null, asks: false },
  restore: { act: null, icon: 'restore', asks: true },
  drill: { act: null, icon: 'drills', asks: true },
}

/** Who may do it, as a person reads it. */
export const whoWords: Record<NextAction['who'], string> = {
  viewer: 'Anyone who may see it.',
  operator: 'Operator, admin.',
  restorer: 'Restorer, admin.',
  admin: 'Admin.',
}

/** Label of a button: the ellipsis promises that something is asked first, and nothing else carries one. */
export function buttonLabel(action: Pick<NextAction, 'id' | 'label'>): string {
  const bare = action.label.replace(/(…|\.\.\.)$/, '')
  return actViews[action.id].asks ? `${bare}…` : bare
}
