import { OpenAPIHono, type RouteConfig } from '@hono/zod-openapi'
import * as routes from './routes/index.ts'

export const basePath = '/api/v1'

const methodOrder = ['get', 'post', 'put', 'patch', 'delete']

/** Every route definition, by path and method: the order of a module's exports depends on who loads it. */
export function allRoutes(): RouteConfig[] {
  return Object.values(routes)
    .flatMap((group) => Object.values<RouteConfig>(group))
    .sort(
      (a, b) =>
        (a.path < b.path ? -1 : a.path > b.path ? 1 : 0) ||
        methodOrder.indexOf(a.method) - methodOrder.indexOf(b.method),
    )
}

/** The OpenAPI 3.1 document, made from the route definitions alone. */
export function openApiDocument(): object {
  const collector = new OpenAPIHono()
  for (const route of allRoutes()) collector.openAPIRegistry.registerPath(route)
  collector.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  collector.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: 'holdfast_session',
  })
  return collector.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Holdfast',
      version: '1',
      description: 'Backup of virtual machines that proves they come back. Everything the dashboard does is here.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: basePath }],
  })
}

/** As committed: stable, so that a difference is a change. */
export function openApiText(): string {
  return `${JSON.stringify(openApiDocument(), null, 2)}\n`
}
