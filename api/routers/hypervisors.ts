import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { planBackup } from '../requests/backup.ts'
import { imagesOf, vmOfImages } from '../requests/images.ts'
import { startOnce } from '../requests/start.ts'
import { endpointOf } from '../requests/targets.ts'
import { hypervisorRoutes as routes } from '../routes/index.ts'
import { backupBody } from '../schemas/actions.ts'
import { askSite, probeRecordOf } from '../site-checks.ts'
import { hypervisorView, probeView } from '../views/hypervisors.ts'
import {
  discoverWorkflow,
  discoverWorkflowId,
  probeWorkflowId,
  type DiscoverInput,
  type DiscoverResult,
} from '../../workflows/inventory/contract.ts'
import { answerAccepted, requestOf, router } from './common.ts'

export function hypervisorRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, now } = deps
  const look = async (id: string, mode: DiscoverInput['mode']): Promise<DiscoverResult> => {
    const endpoint = catalog.endpoints.get(id)
    const input: DiscoverInput = { v: 1, endpoint: endpointOf(endpoint), site: endpoint.site, mode }
    return (await askSite(deps, {
      workflow: discoverWorkflow,
      workflowId: mode === 'probe' ? probeWorkflowId(id) : discoverWorkflowId(id),
      input,
      summary: `${mode === 'probe' ? 'Test' : 'Discover'} ${endpoint.name}`,
      site: endpoint.site,
    })) as DiscoverResult
  }
  return router()
    .openapi(routes.list, (c) => {
      const page = catalog.endpoints.list(c.req.valid('query'))
      return c.json({ ...page, items: page.items.map(hypervisorView) }, 200)
    })
    .openapi(routes.add, (c) => {
      const added = catalog.endpoints.add(c.req.valid('json'))
      c.header('location', `/api/v1/hypervisors/${added.id}`)
      return c.json(hypervisorView(added), 201)
    })
    .openapi(routes.get, (c) => c.json(hypervisorView(catalog.endpoints.get(c.req.valid('param').id)), 200))
    .openapi(routes.test, async (c) => {
      const result = await look(c.req.valid('param').id, 'probe')
      return c.json(probeView(probeRecordOf(result, now())), 200)
    })
    .openapi(routes.images, async (c) => {
      const items = await imagesOf(deps, c.req.valid('param').id)
      return c.json({ items: items.map((image) => ({ ...image })) }, 200)
    })
    .openapi(routes.importImages, async (c) => {
      const wish = c.req.valid('json')
      const vm = await vmOfImages(deps, c.req.valid('param').id, { name: wish.vm, files: wish.files })
      const { repositoryId, name, reason } = wish
      const backup = backupBody.parse({ want: 'crash', name, reason, ...(repositoryId && { repositoryId }) })
      const plan = planBackup(catalog, vm.id, backup, c.var.identity.user)
      return answerAccepted(c, await startOnce(deps, plan, requestOf(c.req, c.req.valid('header'), wish)))
    })
    .openapi(routes.discover, async (c) => {
      const result = await look(c.req.valid('param').id, 'discover')
      const { found, added, changed, gone } = result
      return c.json({ probe: probeView(probeRecordOf(result, now())), found, added, changed, gone }, 200)
    })
}
