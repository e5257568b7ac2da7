import type { OpenAPIHono } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import type { ChannelRow, DeliveryRow, FailingChannel, IncidentRow, Json, NewChannel } from '../../catalog/index.ts'
import { testMessage } from '../alerts/index.ts'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { channelProblems } from '../requests/channels.ts'
import { alertRoutes as routes } from '../routes/index.ts'
import { router } from './common.ts'

export function alertRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, now, sender } = deps
  return router()
    .openapi(routes.listIncidents, (c) => {
      const { limit, cursor, state } = c.req.valid('query')
      const page = catalog.alerts.incidents({ limit, cursor }, { state })
      return c.json({ ...page, items: page.items.map(incidentView) }, 200)
    })
    .openapi(routes.listChannels, (c) => {
      const failing = catalog.alerts.failing()
      return c.json({ items: catalog.alerts.channels().map((row) => channelView(row, failing)) }, 200)
    })
    .openapi(routes.putChannel, (c) => {
      const channel = { name: c.req.valid('param').name, ...c.req.valid('json') }
      requireSense(channel)
      return c.json(channelView(catalog.alerts.putChannel(channel), catalog.alerts.failing()), 200)
    })
    .openapi(routes.removeChannel, (c) => {
      catalog.alerts.removeChannel(c.req.valid('param').name)
      return c.body(null, 204)
    })
    .openapi(routes.testChannel, async (c) => {
      const channel = catalog.alerts.channel(c.req.valid('param').name)
      const { signal } = c.req.raw
      const message = testMessage(catalog.installation.get().name, channel.name, now())
      if (channel.kind === 'dead-man') await sender.ping(channel, signal)
      else {
        await sender.send(channel, message, signal)
        // Told like any other: the channel takes messages.
        const { alerts } = catalog
        const { type, title } = message
        alerts.retell(channel.name)
        const id = alerts.addDelivery({ channel: channel.name, type, title, message: message as unknown as Json })
        alerts.recordSent(id)
      }
      return c.body(null, 204)
    })
    .openapi(routes.listDeliveries, (c) => {
      const { limit, cursor, channel } = c.req.valid('query')
      const page = catalog.alerts.deliveries({ limit, cursor }, { channel })
      return c.json({ ...page, items: page.items.map(deliveryView) }, 200)
    })
}

function requireSense(channel: NewChannel): void {
  const problems = channelProblems(channel)
  if (problems.length > 0) throw new HoldfastError('InvalidRequest', problems.join('; '))
}

function incidentView({ key: _, tags, subject, ...row }: IncidentRow) {
  return { ...row, subject: subject && { ...subject }, tags: [...tags] }
}

function channelView({ digestedMs: _, route, mail, ...row }: ChannelRow, failing: readonly FailingChannel[]) {
  const { sinceMs, error } = failing.find(({ name }) => name === row.name) ?? {}
  return {
    ...row,
    mail: mail && { ...mail, to: [...mail.to] },
    route: { ...route, tags: [...route.tags], quiet: route.quiet && { ...route.quiet } },
    failing: sinceMs === undefined ? null : { sinceMs, error: error ?? null },
  }
}

function deliveryView({ message: _, ...row }: DeliveryRow) {
  return row
}
