import { isTimeZone } from './clock.ts'
import type { BandwidthLimit } from './plan.ts'
import { unknown, type Known, type PolicyProblem } from './validate.ts'

/** What is stored: backups. What is fetched: restores and drills. Lines carry both at once, so each is limited by itself. */
export const linkDirections = ['backup', 'restore'] as const
export type LinkDirection = (typeof linkDirections)[number]

/** A hypervisor and a repository; null: all of them together. */
export interface LinkEnds {
  readonly hypervisorId: string | null
  readonly repositoryId: string | null
}

/** What may be moved a second between its ends, by hours of the day, whoever moves it. */
export interface LinkLimits extends LinkEnds {
  /** IANA name: of the hours. */
  readonly timeZone: string
  readonly backup: readonly BandwidthLimit[]
  readonly restore: readonly BandwidthLimit[]
}

/** No id contains it. */
const all = '*'

/** `link/lab/main/backup`: under which name movers and server speak of it. */
export function linkKey(ends: LinkEnds, direction: LinkDirection): string {
  return `link/${linkName(ends)}/${direction}`
}

/** `lab/main`: as the policy file names it, with `*` for all of them together. */
export function linkName({ hypervisorId, repositoryId }: LinkEnds): string {
  return `${hypervisorId ?? all}/${repositoryId ?? all}`
}

/** What `linkName` makes; null: it names no link. */
export function parseLinkName(name: string): LinkEnds | null {
  const [hypervisor = '', repository = '', ...more] = name.split('/')
  if (more.length > 0 || hypervisor === '' || repository === '') return null
  return { hypervisorId: endOf(hypervisor), repositoryId: endOf(repository) }
}

/** Every link that a copy between the two is a part of. */
export function linkKeys(hypervisorId: string, repositoryId: string, direction: LinkDirection): string[] {
  const ends = [hypervisorId, null].flatMap((one) =>
    [repositoryId, null].map((other) => ({ hypervisorId: one, repositoryId: other })),
  )
  return ends.map((link) => linkKey(link, direction))
}

/** Every link that what comes from elsewhere than a hypervisor and is stored in a repository is a part of: a mirror. */
export function storingKeys(repositoryId: string): string[] {
  return [repositoryId, null].map((one) => linkKey({ hypervisorId: null, repositoryId: one }, 'backup'))
}

/** Every link that what leaves a hypervisor for another one is a part of: a standby’s copy. */
export function leavingKeys(hypervisorId: string): string[] {
  return [hypervisorId, null].map((one) => linkKey({ hypervisorId: one, repositoryId: null }, 'backup'))
}

/** What `linkKey` makes; null: it is the name of something else. */
export function parseLinkKey(key: string): (LinkEnds & { readonly direction: LinkDirection }) | null {
  const [kind, hypervisor, repository, last, ...more] = key.split('/')
  const direction = linkDirections.find((one) => one === last)
  const ends = kind === 'link' && more.length === 0 ? parseLinkName(`${hypervisor}/${repository}`) : null
  return ends === null || direction === undefined ? null : { ...ends, direction }
}

function endOf(text: string): string | null {
  return text === all ? null : text
}

/** Every problem that its shape does not tell. */
export function linkProblems({ timeZone }: Pick<LinkLimits, 'timeZone'>): PolicyProblem[] {
  if (isTimeZone(timeZone)) return []
  return [
    {
      path: ['timeZone'],
      message: `there is no time zone ${timeZone}`,
      hint: 'Write an IANA name, such as Europe/Paris.',
    },
  ]
}

/** What is wrong with a link that somebody wrote down: it must limit something, between ends that exist. */
export function namedLinkProblems(link: LinkLimits, { hypervisors, repositories }: Known): PolicyProblem[] {
  const { hypervisorId, repositoryId, backup, restore } = link
  const end = (what: string, id: string | null, ids: readonly string[]): PolicyProblem[] =>
    id === null || ids.includes(id) ? [] : [unknown([], what, id, ids)]
  const idle: PolicyProblem[] =
    backup.length + restore.length > 0
      ? []
      : [{ path: [], message: `${linkName(link)} limits nothing`, hint: 'Give it backup or restore, or leave it out.' }]
  return [
    ...end('hypervisor', hypervisorId, hypervisors),
    ...end('repository', repositoryId, repositories),
    ...idle,
    ...linkProblems(link),
  ]
}
