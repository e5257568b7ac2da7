import type { OpenAPIHono } from '@hono/zod-openapi'
import { HoldfastError, formatInstant, locationText } from '../../base/index.ts'
import type { RemovedPointRow } from '../../catalog/index.ts'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { pointRoutes as routes } from '../routes/index.ts'
import { bootListView, copyView, pointDetailView, pointView } from '../views/points.ts'
import { changeDetailView } from '../views/changes.ts'
import { holdView } from '../views/retention.ts'
import { router } from './common.ts'

export function pointRouter({ catalog }: ApiDeps): OpenAPIHono<ApiEnv> {
  return router()
    .openapi(routes.list, (c) => {
      const { limit, cursor, suspicious, ...filter } = c.req.valid('query')
      const page = catalog.points.list({ limit, cursor }, { ...filter, ...(suspicious && { suspicious: true }) })
      return c.json({ ...page, items: page.items.map(pointView) }, 200)
    })
    .openapi(routes.get, (c) => {
      const { id } = c.req.valid('param')
      const removed = catalog.points.find(id) === undefined ? catalog.retained.removed(id) : undefined
      if (removed !== undefined) throw gone(removed)
      const point = catalog.points.get(id)
      const place = locationText(catalog.repositories.get(point.repositoryId).location)
      const holds = catalog.retained.holdsOf(id).map(holdView)
      const copies = catalog.copies.of(id).map(copyView)
      const changed = changeDetailView(catalog, point)
      const bootList = bootListView(catalog.bootLists.of(point.vmId))
      return c.json({ ...pointDetailView(point, place), copies, changed, holds, bootList }, 200)
    })
    .openapi(routes.reviewChange, (c) => {
      const { id } = c.req.valid('param')
      const { verdict, reason } = c.req.valid('json')
      catalog.points.get(id)
      catalog.changes.review(id, { verdict, reason, by: c.var.identity.user })
      const changed = changeDetailView(catalog, catalog.points.get(id))
      if (changed === null) throw new HoldfastError('NotFound', `the change of ${id} was forgotten meanwhile`)
      return c.json(changed, 200)
    })
}

/** What is left of a point that was removed on purpose: by whom, when and why. */
function gone({ id, removedBy, removedMs, why }: RemovedPointRow): HoldfastError {
  return new HoldfastError(
    'NotFound',
    `the point ${id} was removed by ${removedBy} on ${formatInstant(removedMs)}: ${why}`,
  )
}
