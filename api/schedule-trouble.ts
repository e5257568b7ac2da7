import type { IncidentRow } from '../catalog/index.ts'
import { planScheduleId } from '../workflows/plan/contract.ts'
import type { Attention } from './attention.ts'
import type { ApiDeps } from './deps.ts'

type Deps = Pick<ApiDeps, 'schedules'>

/** Schedules in the engine that are not as their plans say, by the last look of whoever puts them right: each once. */
export function scheduleTrouble({ schedules }: Deps): Attention[] {
  if (schedules === undefined) return []
  const { lookedMs: sinceMs, taken, wrong, unknown } = schedules()
  const of = (plan: string) => ({ kind: 'schedule', sinceMs, subject: { kind: 'plan', id: plan } }) as const
  const trouble = new Map<string, Attention>()
  const add = (plan: string, one: Attention): void => void (trouble.has(plan) || trouble.set(plan, one))
  for (const plan of taken)
    add(plan, {
      ...of(plan),
      severity: 'failed',
      title: `${plan} does not start: its schedule is somebody else’s`,
      detail: `${planScheduleId(plan)} in Temporal was not made by this installation. Two installations need a namespace each; if nobody needs the other schedule, delete it there: ours is made within a minute.`,
      action: { label: 'Run it now', command: `holdfast plans run ${plan}` },
    })
  for (const { plan, message } of wrong)
    add(plan, {
      ...of(plan),
      severity: 'failed',
      title: `The schedule of ${plan} is not as the plan says`,
      detail: `It could not be made or put right, and is tried again every minute: ${message}. Until then it starts as it did before, or not at all.`,
      action: { label: 'Run it now', command: `holdfast plans run ${plan}` },
    })
  for (const plan of unknown)
    add(plan, {
      ...of(plan),
      severity: 'attention',
      title: `A schedule starts the plan ${plan}, which is not in the catalog`,
      detail: `The catalog may be older than it. Bring the plan back with a policy file, or delete ${planScheduleId(plan)} in Temporal; it is left alone until then.`,
      action: { label: 'Bring it back', command: 'holdfast apply -f policy.yaml' },
    })
  return [...trouble.values()]
}

/** Whether it is known that the schedule of an incident is right by now: somebody has looked since the server started. */
export function isScheduleKnown({ schedules }: Deps, { kind }: Pick<IncidentRow, 'kind'>): boolean {
  if (kind !== 'schedule' || schedules === undefined) return true
  const { lookedMs, wrong } = schedules()
  // Where one cannot be put right the look does not come to its end, and has said of all others what they are.
  return lookedMs !== null || wrong.length > 0
}
