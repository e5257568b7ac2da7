/** What people see as a run; also the first word of its workflow id. */
export const runKinds = [
  'backup',
  'restore',
  'drill',
  'retention',
  'plan',
  'verify',
  'instant',
  'mirror',
  'files',
  'replication',
  'failover',
  'recovery',
] as const

export type RunKind = (typeof runKinds)[number]

/** Which of our processes a workflow is; undefined: none that people see as a run. */
export function kindOf(workflowId: string): RunKind | undefined {
  const [prefix] = workflowId.split('/')
  return runKinds.find((kind) => kind === prefix)
}
