import { sql } from 'drizzle-orm'
import type { CatalogContext } from './context.ts'

/** Counted by triggers as rows come, change and go (migration 0026). */
type TallyName = 'points' | 'runs'
type DayTally = 'points-of-day' | 'bytes-of-day' | 'failed-of-day' | 'cancelled-of-day'

/** How many there are: points that are not gone, or runs. */
export function tally({ db }: Pick<CatalogContext, 'db'>, name: TallyName): number {
  return db.get<{ value: number }>(sql`SELECT value FROM tallies WHERE name = ${name} AND label = ''`).value
}

/** By the day, counted since 1970 (UTC), of those named; a day without any is not in it. */
export function talliesOfDays(
  { db }: Pick<CatalogContext, 'db'>,
  days: readonly number[],
): (name: DayTally, day: number) => number {
  const wanted = sql.join(
    days.map((day) => sql`${String(day)}`),
    sql`, `,
  )
  const rows = db.all<{ name: string; label: string; value: number }>(
    sql`SELECT name, label, value FROM tallies
      WHERE name IN ('points-of-day', 'bytes-of-day', 'failed-of-day', 'cancelled-of-day') AND label IN (${wanted})`,
  )
  const values = new Map(rows.map(({ name, label, value }) => [`${name}/${label}`, value]))
  return (name, day) => values.get(`${name}/${day}`) ?? 0
}
