import { isTimeZone } from './clock.ts'
import type { BandwidthLimit } from './plan.ts'
import type { PolicyProblem } from './validate.ts'

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
export function linkKey({ hypervisorId, repositoryId }: LinkEnds, direction: LinkDirection): string {
  return `link/${hypervisorId ?? all}/${repositoryId ?? all}/${direction}`
}

/** Every link that a copy between the two is a part of. */
export function linkKeys(hypervisorId: string, repositoryId: string, direction: LinkDirection): string[] {
  const ends = [hypervisorId, null].flatMap((one) =>
    [repositoryId, null].map((other) => ({ hypervisorId: one, repositoryId: other })),
  )
  return ends.map((link) => linkKey(link, direction))
}

/** What `linkKey` makes; null: it is the name of something else. */
export function parseLinkKey(key: string): (LinkEnds & { readonly direction: LinkDirection }) | null {
  const [kind, hypervisor = '', repository = '', last, ...more] = key.split('/')
  const direction = linkDirections.find((one) => one === last)
  if (kind !== 'link' || direction === undefined || more.length > 0 || hypervisor === '' || repository === '')
    return null
  return { hypervisorId: endOf(hypervisor), repositoryId: endOf(repository), direction }
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
