import type { OpenAPIHono } from '@hono/zod-openapi'
import { streamSSE } from 'hono/streaming'
import { stillOpens, type ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { systemRoutes as routes } from '../routes/index.ts'
import { feed, type StreamPace } from '../stream.ts'
import { router } from './common.ts'

export function eventRouter(deps: ApiDeps, pace?: StreamPace): OpenAPIHono<ApiEnv> {
  return router().openapi(routes.events, (c) => {
    const last = c.req.valid('header')['last-event-id']
    c.header('x-accel-buffering', 'no')
    deps.live.nudge()
    return streamSSE(
      c,
      (stream) => feed(deps, stream, last === undefined ? null : Number(last), () => stillOpens(deps, c), pace),
      async (error) => {
        deps.log.error({ error }, 'the event stream broke')
      },
    )
  })
}
