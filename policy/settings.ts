/**
 * What an installation says beside its policies: how much works at once, how long records are kept, who sweeps and scrubs how.
 * Each has a value where nobody has said anything; here is what is wrong with a name in a policy file that stands for none.
 */
import { recordKinds, type RecordKind } from './keeping.ts'
import { slotKindOf } from './slots.ts'
import { nearest, unknown, type Known, type PolicyProblem } from './validate.ts'

/** `*`, or a repository. */
export function sweepScopeProblems(name: string, { repositories }: Known): PolicyProblem[] {
  return name === '*' ? [] : repositoryProblems(name, repositories)
}

export function scrubProblems(name: string, { repositories }: Known): PolicyProblem[] {
  return repositoryProblems(name, repositories)
}

export function recordProblems(name: string): PolicyProblem[] {
  const kinds = Object.keys(recordKinds)
  return isRecordKind(name) ? [] : [unknown([], 'kind of records', name, kinds)]
}

export function isRecordKind(name: string): name is RecordKind {
  return Object.hasOwn(recordKinds, name)
}

/** Datastores come and go with the disks that lie on them, and a link is of a site: only what has an id is looked up. */
export function slotProblems(resource: string, { hypervisors, repositories }: Known): PolicyProblem[] {
  const kind = slotKindOf(resource)
  const [prefix = '', ...rest] = resource.split('/')
  const id = rest.join('/')
  if (kind === undefined || id === '') {
    const near = nearest(prefix, ['host', 'datastore', 'repository', 'link'])
    const hint = 'Resources are host/<hypervisor>, repository/<repository>, link/<site> and datastore/<name>.'
    const meant = near === null || near === prefix ? hint : `Did you mean ${near}/${id}? ${hint}`
    return [{ path: [], message: `${resource} is no resource`, hint: meant }]
  }
  if (kind === 'host') return hypervisors.includes(id) ? [] : [unknown([], 'hypervisor', id, hypervisors)]
  return kind === 'repository' ? repositoryProblems(id, repositories) : []
}

function repositoryProblems(name: string, repositories: readonly string[]): PolicyProblem[] {
  return repositories.includes(name) ? [] : [unknown([], 'repository', name, repositories)]
}
