import type {
  Catalog,
  IncidentEnd,
  IncidentRow,
  MirrorState,
  ObservedIncident,
  ReplicationView,
} from '../../catalog/index.ts'
import { attention, outsideKinds, type Attention } from '../attention.ts'
import type { ApiDeps } from '../deps.ts'
import type { Engine } from '../facts.ts'
import { isStillFailed } from '../failed-runs.ts'
import { isMirrorLate, mediaOverdueMs } from '../mirror-attention.ts'
import { isScheduleKnown } from '../schedule-trouble.ts'
import { repositoryView } from '../views/repositories.ts'
import { endedBy, isWanted } from './endings.ts'

/** Of each kind: whoever has more VMs outside their promise is told how many. */
const most = 200

/** Whether a VM is inside its promise is one question: late, overdue and failed are its answers one after the other. */
const ofPosture = new Set<string>(outsideKinds)

const looked = new Set(['repository-lost', 'repository-unseen'])

/** Looks at everything that wants attention now, and keeps the incidents in step. */
export function observe(deps: ApiDeps, engine: Engine): void {
  const { catalog } = deps
  const repositories = [...catalog.repositories.all()].map((row) => repositoryView(catalog, row))
  const { items, total, cut } = attention(deps, engine, repositories, { most, all: true })
  const found = items.map((item) => incidentOf(deps, item))
  if (total > items.length)
    found.push({
      key: 'more',
      kind: 'more',
      severity: 'critical',
      title: `${total - items.length} more things want attention`,
      detail: 'They are too many to be told one by one.',
      command: 'holdfast status',
      subject: null,
      part: null,
      tags: [],
    })
  const endOf = (incident: IncidentRow): IncidentEnd | null =>
    isScheduleKnown(deps, incident) && isKnown(deps, incident, engine, cut)
      ? { endedBy: endedBy(catalog, incident, deps.now()) }
      : null
  catalog.alerts.observe(found, endOf)
}

/** Whether it is known that an incident is over, because nothing says that it goes on. */
function isKnown(
  deps: ApiDeps,
  { kind, subject, part }: IncidentRow,
  engine: Engine,
  cut: ReadonlySet<string>,
): boolean {
  const { catalog } = deps
  // What was cut off says nothing of what is not in it; a VM can be asked by itself. Other kinds are whole all the same: one
  // that never ended would hide the next one of its like.
  if (cut.has(kind)) return ofPosture.has(kind) && subject !== null && isInside(catalog, subject.id)
  // Only a look that came to its end has found the repository again: a place that answers no more is no recovery.
  if (looked.has(kind) && subject) return (catalog.watches.find(subject.id)?.error ?? null) === null
  // A VM that has broken its promise besides has lines of its own; what failed goes on until it goes well.
  if (kind === 'run-failed' && subject) return !isStillFailed(catalog, subject.id)
  // Media that were put into the post are silence, and no copy: it is over when what they bring is there.
  if (kind === 'mirror-lag' && subject) return !isMirrorLate(deps, subject.id)
  // A standby that takes over is behind as it was; whether it still follows is known when the run has ended.
  if (kind === 'replication-lag') return !catalog.replications.list().some((row) => row.id === part && isMoving(row))
  // Of a mirror that is further behind than it may be that is told, and copies have failed all the same.
  // While it is tried again it has neither failed nor arrived.
  if (kind === 'copy-failed' && subject)
    return (
      !catalog.mirrors.states().some(hasFailed(subject.id)) &&
      !(part !== null && isWanted(catalog.copies.find(part, subject.id)))
    )
  return engine.up || kind !== 'no-worker'
}

function isInside(catalog: Catalog, vmId: string): boolean {
  const vm = catalog.vms.find(vmId)
  return vm === undefined || vm.goneMs !== null || !ofPosture.has(vm.posture.state)
}

function isMoving({ state }: ReplicationView): boolean {
  return state === 'failing-over' || state === 'failing-back'
}

const hasFailed =
  (repositoryId: string) =>
  ({ targetId, failed }: MirrorState): boolean =>
    targetId === repositoryId && failed > 0

function incidentOf(
  deps: ApiDeps,
  { kind, severity, title, detail, subject, part, action }: Attention,
): ObservedIncident {
  const { catalog } = deps
  return {
    key: keyOf(deps, kind, subject) + ofStandby(subject, part),
    kind,
    severity: severity === 'attention' ? 'warning' : 'critical',
    title,
    detail,
    command: action.command,
    subject,
    part: part ?? null,
    tags: tagsOf(catalog, subject),
  }
}

/** A VM may have several standbys: what is said of one is not said of the other. */
function ofStandby(subject: Attention['subject'], part: string | undefined): string {
  return subject?.kind === 'vm' && part !== undefined ? `/${part}` : ''
}

/** What stays the same from one night to the next: a second failure of the same thing is no second incident. */
function keyOf(deps: ApiDeps, kind: string, subject: Attention['subject']): string {
  const { catalog } = deps
  if (subject === null) return kind
  if (kind === 'mirror-lag') {
    // Whoever was told that it lags, and sent media, has to know that they did not come: also the second time.
    const untilMs = mediaOverdueMs(deps, subject.id)
    return `${kind}/${subject.kind}/${subject.id}${untilMs === null ? '' : `/${untilMs}`}`
  }
  if (ofPosture.has(kind)) return `rpo/${subject.id}`
  if (subject.kind === 'drill') return `${kind}/${vmOfDrill(subject.id)}`
  if (subject.kind === 'run' && kind !== 'residue') {
    const run = catalog.runs.find(subject.id)
    // A run of a plan has the time in its id.
    if (run)
      return `${kind}/${run.kind === 'plan' || run.kind === 'recovery' ? run.workflowId.split('/').slice(0, 2).join('/') : run.workflowId}`
  }
  return `${kind}/${subject.kind}/${subject.id}`
}

function tagsOf(catalog: Catalog, subject: Attention['subject']): string[] {
  const id = subject && vmOf(catalog, subject)
  const vm = id ? catalog.vms.labels(id) : undefined
  return vm ? [...new Set([...vm.tags, vm.category])] : []
}

function vmOf(catalog: Catalog, { kind, id }: NonNullable<Attention['subject']>): string | null | undefined {
  if (kind === 'vm') return id
  if (kind === 'run') return catalog.runs.find(id)?.vmId
  if (kind === 'point') return catalog.points.find(id)?.vmId
  return kind === 'drill' ? vmOfDrill(id) : null
}

/** `web-01.20261121t073352` → `web-01`. */
function vmOfDrill(id: string): string {
  return id.replace(/\.[^.]*$/, '')
}
