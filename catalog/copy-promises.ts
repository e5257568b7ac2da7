import { sql, type SQL } from 'drizzle-orm'
import type { Copies } from '../policy/index.ts'
import type { CatalogContext } from './context.ts'
import { isWanted, stands } from './copy-needs.ts'
import { whileUnchanged } from './while-unchanged.ts'

/** What a VM has of copies of its newest point, beside what its category promises. */
export interface PromisedCopies {
  readonly vmId: string
  readonly vmName: string
  readonly category: string
  readonly has: Copies
  readonly wants: Copies
}

export interface CopyPromiseQueries {
  /** Of a VM; undefined: it has no point, is left out or gone, or its category is not there. */
  of(vmId: string): PromisedCopies | undefined
  /** The VMs that have less than they are promised, by name; those without any point are not among them. */
  short(): PromisedCopies[]
}

type Row = {
  readonly [member in `${'has' | 'wants'}_${'repositories' | 'media' | 'off_site' | 'immutable'}`]: number
} & {
  readonly id: string
  readonly name: string
  readonly category: string
}

const hourMs = 3_600_000

/**
 * Copies that stand, and those that are under way or to be tried again: that they are late or have failed is told by itself,
 * and between a backup and its mirrors nothing is amiss. Of what is not there yet the repository says whether it will be
 * locked, as its last test has seen it.
 */
export function copyPromiseQueries(context: CatalogContext): CopyPromiseQueries {
  const { db, now } = context
  const rows = (which: SQL, nowMs: number): Row[] =>
    db.all<Row>(sql`
      WITH wanted AS MATERIALIZED (
        SELECT name, json_extract(spec, '$.copies.repositories') AS repositories, json_extract(spec, '$.copies.media') AS media,
          json_extract(spec, '$.copies.offSite') AS off_site, json_extract(spec, '$.copies.immutable') AS immutable
        FROM categories
      )
      SELECT v.id, v.name, v.category, w.repositories AS wants_repositories, w.media AS wants_media, w.off_site AS wants_off_site,
        w.immutable AS wants_immutable, count(r.id) AS has_repositories, count(DISTINCT r.media) AS has_media,
        count(*) FILTER (WHERE coalesce(r.stands_at, r.site) <> e.site) AS has_off_site,
        count(*) FILTER (WHERE CASE WHEN c.state = 'done' THEN c.lock_until_ms > ${nowMs}
          ELSE json_extract(r.test, '$.security.lock') IS NOT NULL END) AS has_immutable
      FROM wanted w CROSS JOIN vms v ON v.category = w.name JOIN endpoints e ON e.id = v.endpoint_id
        JOIN points p ON p.id = (SELECT n.id FROM points n WHERE n.vm_id = v.id AND n.validated_ms IS NOT NULL
          ORDER BY n.created_ms DESC, n.id LIMIT 1)
        LEFT JOIN copies c ON c.point_id = p.id AND (${stands('c')} OR ${isWanted})
        LEFT JOIN repositories r ON r.id = c.repository_id
      WHERE v.excluded_reason IS NULL AND v.gone_ms IS NULL AND ${which}
      GROUP BY v.id`)
  // Most VMs are promised one copy, which they have as soon as they have a point; CROSS JOIN has SQLite leave them out first.
  const more = sql`(w.repositories > 1 OR w.media > 1 OR w.off_site > 0 OR w.immutable > 0)`
  const short = whileUnchanged(context, (hour: number) =>
    rows(more, hour * hourMs)
      .map((row) => promised(row))
      .filter(({ has, wants }) => members.some((member) => has[member] < wants[member]))
      .toSorted((a, b) => (a.vmName < b.vmName ? -1 : 1)),
  )
  return {
    of(vmId) {
      const [row] = rows(sql`v.id = +${vmId}`, now())
      return row && promised(row)
    },
    short: () => short(Math.floor(now() / hourMs)),
  }
}

const members = ['repositories', 'media', 'offSite', 'immutable'] as const

function promised({ id, name, category, ...of }: Row): PromisedCopies {
  const { wants_repositories, wants_media, wants_off_site, wants_immutable } = of
  const { has_repositories, has_media, has_off_site, has_immutable } = of
  return {
    ...{ vmId: id, vmName: name, category },
    has: { repositories: has_repositories, media: has_media, offSite: has_off_site, immutable: has_immutable },
    wants: {
      repositories: wants_repositories,
      media: wants_media,
      offSite: wants_off_site,
      immutable: wants_immutable,
    },
  }
}
