import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import { ownBackupWorkflow, ownBackupWorkflowId, type OwnBackupInput } from '../../workflows/housekeeping/contract.ts'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { repositoryRefOf } from '../requests/targets.ts'
import { ownRoutes as routes } from '../routes/index.ts'
import { askSite } from '../site-checks.ts'
import { hypervisorView } from '../views/hypervisors.ts'
import { ownBackupView } from '../views/own.ts'
import { router } from './common.ts'

/** What Holdfast keeps of itself, and for how long. */
export function ownRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, now } = deps
  return router()
    .openapi(routes.listOwnBackups, (c) =>
      c.json({ items: catalog.own.backups().map((row) => ownBackupView(row, now())) }, 200),
    )
    .openapi(routes.backUpNow, async (c) => {
      const repository = catalog.repositories.get(c.req.valid('param').id)
      const input: OwnBackupInput = { v: 1, repository: repositoryRefOf(repository) }
      await askSite(deps, {
        workflow: ownBackupWorkflow,
        workflowId: ownBackupWorkflowId(repository.id),
        input,
        summary: `Catalog into ${repository.name}`,
        site: repository.site,
      })
      return c.json(ownBackupView(catalog.own.backup(repository.id), now()), 200)
    })
    .openapi(routes.listKeeping, (c) => c.json({ items: catalog.keeping.list() }, 200))
    .openapi(routes.setKeeping, (c) =>
      c.json(catalog.keeping.set(c.req.valid('param').kind, c.req.valid('json').months), 200),
    )
    .openapi(routes.moveHypervisor, (c) =>
      c.json(hypervisorView(catalog.endpoints.move(c.req.valid('param').id, c.req.valid('json'))), 200),
    )
    .openapi(routes.catalogCopy, async (c) => sendCopy(join(deps.copiesDir, `${c.req.valid('param').snap}.db`)))
}

/** As a stream: it may be larger than memory. */
async function sendCopy(path: string): Promise<Response> {
  const found = await stat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) throw new HoldfastError('NotFound', 'there is no such copy of the catalog')
  return new Response(Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>, {
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(found.size) },
  })
}
