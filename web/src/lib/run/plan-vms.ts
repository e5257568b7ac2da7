import type { PlanRunVm } from '#lib/api/types.ts'
import { look, type Look } from '#lib/state/tone.ts'

/** How one VM of a run of a plan is drawn. */
export const planVmLooks: Record<PlanRunVm['state'], Look> = {
  waiting: look('idle', 'Waits for its turn', 'clock'),
  running: look('run', 'Running'),
  completed: look('ok', 'Backed up'),
  'completed-with-residue': look('warn', 'Backed up, residue'),
  failed: look('fail', 'Failed'),
  cancelled: look('idle', 'Cancelled'),
  skipped: look('idle', 'Skipped'),
}
