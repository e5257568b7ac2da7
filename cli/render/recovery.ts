import { formatDuration } from '../../base/index.ts'
import type { Schemas } from '../client/index.ts'
import { plain } from './style.ts'
import { pairs, table } from './table.ts'
import { at } from './words.ts'

type Plan = Schemas['RecoveryPlan']
type Run = Schemas['RecoveryRun']

export function planLines(items: readonly Plan[]): string {
  if (items.length === 0) return 'There is no recovery plan. Make one: holdfast recovery-plan create -f plan.yaml'
  return table(items, [
    { head: 'PLAN', cell: (one) => one.id },
    { head: 'NAME', cell: (one) => plain(one.spec.name) },
    { head: 'TIERS', cell: (one) => String(one.spec.tiers.length), right: true },
    { head: 'VMS', cell: (one) => String(one.vms), right: true },
    {
      head: 'LAST REHEARSAL',
      cell: rehearsedWords,
    },
    { head: 'RTO', cell: (one) => duration(one.lastPassed?.rtoMs ?? null), right: true },
    { head: 'STATE', cell: stateOf },
  ])
}

function rehearsedWords({ lastRehearsal }: Plan): string {
  if (lastRehearsal === null) return 'never'
  const { state, startedMs, isCurrent, skipped } = lastRehearsal
  return `${state} ${at(startedMs)}${isCurrent ? '' : ', changed since'}${skipped ? ', without people' : ''}`
}

function stateOf({ running, isOverdue, check }: Plan): string {
  if (running !== null) return 'under way'
  if (check.findings.some(({ severity }) => severity === 'blocking')) return 'cannot run'
  return isOverdue ? 'rehearsal overdue' : 'ready'
}

export function details(one: Plan): string {
  const { spec, check } = one
  return [
    pairs([
      ['Plan', `${one.id}, revision ${one.revision}`],
      ['Name', plain(spec.name)],
      ['Where', spec.hypervisorId ?? 'each where it lives'],
      ['Order', check.stages.map((stage) => stage.join(' and ')).join(', then ') || 'none'],
      ['Rehearsed', rehearsedWords(one)],
      ...(one.dueMs === null ? [] : ([['Due', `${at(one.dueMs)}${one.isOverdue ? ' (overdue)' : ''}`]] as const)),
      ['State', stateOf(one)],
    ]),
    '',
    table(spec.tiers, [
      { head: 'TIER', cell: (tier) => tier.key },
      { head: 'VMS', cell: (tier) => (tier.members ?? []).map(({ vmId }) => vmId).join(', ') || '–' },
      { head: 'WAITS FOR', cell: (tier) => tier.needs ?? 'checks' },
      { head: 'STEPS', cell: (tier) => String((tier.before ?? []).length + (tier.then ?? []).length), right: true },
      { head: 'PROMISED', cell: (tier) => duration(tier.rtoMs ?? null), right: true },
    ]),
    ...check.findings.map(({ severity, message, hint }) => `${severity}: ${plain(message)}. ${plain(hint)}`),
    ...one.originals.map(
      ({ vmId, problems }) =>
        `for real only with --beside ${vmId}, as far as is known: ${problems.map(plain).join('; ')}`,
    ),
  ].join('\n')
}

export function report(run: Run): string {
  const lines = [
    pairs([
      ['Plan', plain(run.planName)],
      ['Run', `${run.runId} (${run.mode === 'rehearse' ? 'rehearsal' : 'for real'})`],
      ['State', run.state],
      ...(run.why === '' ? [] : ([['Outcome', plain(run.why)]] as const)),
      ['VMs', `${run.back} of ${run.vms} came back`],
      ['RTO', `${duration(run.rtoMs)}${run.waitedMs > 0 ? `, ${formatDuration(run.waitedMs)} of it for people` : ''}`],
    ]),
    '',
    table(run.tiers, [
      { head: 'TIER', cell: (tier) => plain(tier.name) },
      { head: 'STATE', cell: (tier) => tier.state },
      { head: 'TOOK', cell: (tier) => duration(tier.tookMs), right: true },
      { head: 'FOR PEOPLE', cell: (tier) => duration(tier.waitedMs), right: true },
      { head: 'SINCE START', cell: (tier) => duration(tier.sinceStartMs), right: true },
      {
        head: 'PROMISED',
        cell: (tier) =>
          tier.rtoMs === null ? '–' : `${duration(tier.rtoMs)}${tier.isInTime === false ? ' (late)' : ''}`,
        right: true,
      },
      { head: 'WAITS FOR', cell: (tier) => (tier.waitsFor === null ? '' : plain(tier.waitsFor.title)) },
    ]),
    '',
    table(
      run.tiers.flatMap(({ name, members }) => members.map((member) => ({ tier: name, ...member }))),
      [
        { head: 'VM', cell: (one) => plain(one.vmName) },
        { head: 'TIER', cell: (one) => plain(one.tier) },
        { head: 'STATE', cell: (one) => one.state },
        { head: 'RESTORED', cell: (one) => seconds(one.restoreSeconds), right: true },
        { head: 'BOOTED', cell: (one) => seconds(one.bootSeconds), right: true },
        { head: 'RTO', cell: (one) => seconds(one.rtoSeconds), right: true },
        { head: 'WHY', cell: (one) => plain(one.why).slice(0, 80) },
      ],
    ),
  ]
  for (const { vmId, original, residue } of run.tiers.flatMap(({ members }) => members)) {
    if (original !== '') lines.push(`${vmId}: ${plain(original)}`)
    for (const { kind, id, error, hint } of residue)
      lines.push(`${vmId}: left behind: ${plain(`${kind} ${id}: ${error}. ${hint}`)}`)
  }
  for (const { key, waitsFor } of run.tiers)
    if (waitsFor !== null)
      lines.push(
        '',
        `${key} waits for you: ${plain(waitsFor.title)}${waitsFor.detail === '' ? '' : `. ${plain(waitsFor.detail)}`}`,
        waitsFor.kind === 'step'
          ? `  holdfast recovery-plan approve ${run.runId} ${key} ${waitsFor.id}`
          : `  holdfast recovery-plan choose ${run.runId} ${key} ${waitsFor.id} retry|continue|clean-up${run.mode === 'run' ? '|hand-over' : ''}`,
      )
  return lines.join('\n')
}

function duration(ms: number | null): string {
  return ms === null ? '–' : formatDuration(ms)
}

function seconds(value: number | null): string {
  return value === null ? '–' : formatDuration(value * 1000)
}
