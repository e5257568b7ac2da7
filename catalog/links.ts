import { and, asc, eq } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { linkName, type LinkEnds, type LinkLimits } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { linkLimits } from './schema.ts'

export interface LinkQueries {
  /** Those that are limited, by their ends. */
  list(): LinkLimits[]
  find(ends: LinkEnds): LinkLimits | undefined
  /** Replaces what was said of this link; without a limit for either direction it is not limited any more. Throws NotFound
   *  for ends that are not known, InvalidRequest beyond `mostLinks`. */
  put(limits: LinkLimits): void
}

/** Each is told to every mover that copies over it. */
export const mostLinks = 1000
/** In place of an id: all of them together. */
const all = '*'

export function linkQueries(context: CatalogContext): LinkQueries {
  const { db, now, publish, sqlite } = context
  const view = ({ hypervisor, repository, spec }: typeof linkLimits.$inferSelect): LinkLimits => ({
    hypervisorId: hypervisor === all ? null : hypervisor,
    repositoryId: repository === all ? null : repository,
    ...spec,
  })
  const is = ({ hypervisorId, repositoryId }: LinkEnds) =>
    and(eq(linkLimits.hypervisor, hypervisorId ?? all), eq(linkLimits.repository, repositoryId ?? all))
  const rows = () => db.select().from(linkLimits).orderBy(asc(linkLimits.hypervisor), asc(linkLimits.repository)).all()
  const requireKnown = (table: 'endpoints' | 'repositories', what: string, id: string | null): void => {
    if (id === null || sqlite.prepare<[string]>(`SELECT 1 FROM ${table} WHERE id = ?`).get(id) !== undefined) return
    throw new HoldfastError('NotFound', `there is no ${what} ${id}`)
  }
  return {
    list: () => rows().map(view),
    find(ends) {
      const row = db.select().from(linkLimits).where(is(ends)).get()
      return row && view(row)
    },
    put({ hypervisorId, repositoryId, timeZone, backup, restore }) {
      const ends = { hypervisorId, repositoryId }
      inTransaction(context, () => {
        if (backup.length === 0 && restore.length === 0) db.delete(linkLimits).where(is(ends)).run()
        else {
          requireKnown('endpoints', 'hypervisor', hypervisorId)
          requireKnown('repositories', 'repository', repositoryId)
          const set = { spec: { timeZone, backup, restore }, changedMs: now() }
          db.insert(linkLimits)
            .values({ hypervisor: hypervisorId ?? all, repository: repositoryId ?? all, ...set })
            .onConflictDoUpdate({ target: [linkLimits.hypervisor, linkLimits.repository], set })
            .run()
          if (rows().length > mostLinks)
            throw new HoldfastError('InvalidRequest', `there are limits for ${mostLinks} links already`, {
              hint: 'A limit of a repository for all hypervisors together replaces many of single links.',
            })
        }
        publish('settings', `link/${linkName(ends)}`)
      })
    },
  }
}
