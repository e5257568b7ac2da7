import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { repositoryRefOf } from '../requests/targets.ts'
import { repositoryRoutes as routes } from '../routes/index.ts'
import { askSite, testRecordOf } from '../site-checks.ts'
import { repositoryDetailView, repositoryTestView, repositoryView } from '../views/repositories.ts'
import {
  testRepositoryWorkflow,
  testRepositoryWorkflowId,
  type TestRepositoryInput,
  type TestRepositoryResult,
} from '../../workflows/inventory/contract.ts'
import { router } from './common.ts'

export function repositoryRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, now } = deps
  return router()
    .openapi(routes.list, (c) => {
      const page = catalog.repositories.list(c.req.valid('query'))
      return c.json({ ...page, items: page.items.map((row) => repositoryView(catalog, row)) }, 200)
    })
    .openapi(routes.add, (c) => {
      const added = catalog.repositories.add(c.req.valid('json'))
      c.header('location', `/api/v1/repositories/${added.id}`)
      return c.json(repositoryView(catalog, added), 201)
    })
    .openapi(routes.get, (c) =>
      c.json(repositoryDetailView(catalog, catalog.repositories.get(c.req.valid('param').id)), 200),
    )
    .openapi(routes.describe, (c) => {
      const row = catalog.repositories.describe(c.req.valid('param').id, c.req.valid('json'))
      return c.json(repositoryView(catalog, row), 200)
    })
    .openapi(routes.test, async (c) => {
      const repository = catalog.repositories.get(c.req.valid('param').id)
      const input: TestRepositoryInput = { v: 1, repository: repositoryRefOf(repository) }
      const result = (await askSite(deps, {
        workflow: testRepositoryWorkflow,
        workflowId: testRepositoryWorkflowId(repository.id),
        input,
        summary: `Test ${repository.name}`,
        site: repository.site,
      })) as TestRepositoryResult
      // The catalog knows whether it is the same repository as another one.
      const test = catalog.repositories.recordTest(repository.id, testRecordOf(result, now()))
      return c.json(repositoryTestView(test), 200)
    })
}
