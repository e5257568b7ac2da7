import type { Repository } from '../../repository/index.ts'
import type { Site } from './deps.ts'
import { beating } from './operation.ts'
import type { Pulse } from './pulse.ts'

/** A step at a repository that says with each heartbeat what it does. `first`: until the work says something itself. */
export async function telling<T>(
  site: Site,
  ref: Parameters<Site['repository']>[0],
  first: string,
  work: (repository: Repository, pulse: Pulse, say: (what: string) => void) => Promise<T>,
): Promise<T> {
  let what = first
  return await beating(
    site,
    (pulse) =>
      site.repository(ref, (repository) =>
        work(repository, pulse, (next) => {
          what = next
          pulse.moved()
        }),
      ),
    { details: (quietMs) => ({ v: 1, what, quietMs }) },
  )
}
