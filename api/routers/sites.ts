import { randomBytes } from 'node:crypto'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import {
  testSiteWorkflow,
  testSiteWorkflowId,
  type TestSiteInput,
  type TestSiteResult,
} from '../../workflows/inventory/contract.ts'
import { requireSite, type ApiEnv } from '../auth.ts'
import type { BandwidthShares } from '../bandwidth.ts'
import type { ApiDeps } from '../deps.ts'
import { workersAt } from '../facts.ts'
import { endpointOf, repositoryRefOf } from '../requests/targets.ts'
import { siteRoutes as routes } from '../routes/index.ts'
import { hashOf, newSecret } from '../secrets.ts'
import { askSite, siteTestRecordOf } from '../site-checks.ts'
import { linksView } from '../views/links.ts'
import { runView } from '../views/runs.ts'
import { proxyView, siteMembersView, siteTestView, siteView } from '../views/sites.ts'
import { router } from './common.ts'

const mostRuns = 50
const mostTokens = 50
const dayMs = 86_400_000

export function siteRouter(deps: ApiDeps, shares: BandwidthShares): OpenAPIHono<ApiEnv> {
  const { catalog, now } = deps
  return router()
    .openapi(routes.list, async (c) => {
      const rows = catalog.sites.list()
      const items = await Promise.all(rows.map(async (row) => siteView(row, await workersAt(deps, row.name))))
      return c.json({ items }, 200)
    })
    .openapi(routes.get, async (c) => {
      const site = catalog.sites.get(c.req.valid('param').name)
      const [hypervisors, repositories] = [catalog.endpoints.ofSite(site.name), catalog.repositories.ofSite(site.name)]
      const of = {
        hypervisor: new Set(hypervisors.map(({ id }) => id)),
        repository: new Set(repositories.map(({ id }) => id)),
      }
      const runs = catalog.runs.list({ limit: mostRuns }, { state: 'open', site: site.name })
      return c.json(
        {
          ...siteView(site, await workersAt(deps, site.name)),
          members: siteMembersView(hypervisors, repositories),
          runs: runs.items.map((run) => runView(run, now())),
          tokens: catalog.access
            .ofSite(site.name)
            .map(({ id, createdMs, expiresMs }) => ({ id, createdMs, expiresMs })),
          links: linksView(catalog, shares, now()).filter(
            ({ hypervisorId, repositoryId }) =>
              (hypervisorId === null || of.hypervisor.has(hypervisorId)) &&
              (repositoryId === null || of.repository.has(repositoryId)),
          ),
        },
        200,
      )
    })
    .openapi(routes.put, async (c) => {
      const { name } = c.req.valid('param')
      const site = catalog.sites.put(name, c.req.valid('json'))
      return c.json(siteView(site, await workersAt(deps, name)), 200)
    })
    .openapi(routes.putMap, async (c) => {
      const { name, to } = c.req.valid('param')
      const site = catalog.sites.putMap(name, { to, ...c.req.valid('json') })
      return c.json(siteView(site, await workersAt(deps, name)), 200)
    })
    .openapi(routes.settings, (c) => {
      const { name } = c.req.valid('param')
      requireSite(c.var.identity, name)
      return c.json({ proxy: proxyView(catalog.sites.find(name)?.proxy ?? null) }, 200)
    })
    .openapi(routes.remove, (c) => {
      catalog.sites.remove(c.req.valid('param').name)
      return c.body(null, 204)
    })
    .openapi(routes.test, async (c) => {
      const { name } = catalog.sites.get(c.req.valid('param').name)
      const input: TestSiteInput = {
        v: 1,
        site: name,
        hypervisors: catalog.endpoints.ofSite(name).map((row) => ({ name: row.name, endpoint: endpointOf(row) })),
        repositories: catalog.repositories.ofSite(name).map(repositoryRefOf),
      }
      const result = (await askSite(deps, {
        workflow: testSiteWorkflow,
        workflowId: testSiteWorkflowId(name),
        input,
        summary: `Test site ${name}`,
        site: name,
      })) as TestSiteResult
      return c.json(siteTestView(siteTestRecordOf(result, now())), 200)
    })
    .openapi(routes.makeToken, (c) => {
      const { name } = catalog.sites.get(c.req.valid('param').name)
      if (catalog.access.ofSite(name).length >= mostTokens) {
        throw new HoldfastError('InvalidRequest', `site ${name} has ${mostTokens} tokens already`, {
          hint: 'Revoke those that no worker shows any more.',
        })
      }
      const [id, token] = [`${name}-${randomBytes(4).toString('hex')}`, newSecret()]
      const { days } = c.req.valid('json')
      const expiresMs = days === null ? null : now() + days * dayMs
      catalog.access.putToken({
        id,
        name: `workers of ${name}`,
        hash: hashOf(token),
        role: 'worker',
        site: name,
        expiresMs,
      })
      return c.json({ id, createdMs: now(), expiresMs, token }, 201)
    })
    .openapi(routes.revokeToken, (c) => {
      const { name, token: id } = c.req.valid('param')
      catalog.access.revoke(name, id)
      return c.body(null, 204)
    })
    .openapi(routes.secret, async (c) => {
      const { site } = c.var.identity
      const { credentialRef } = c.req.valid('json')
      if (site === null)
        throw new HoldfastError('Forbidden', 'secrets are handed to workers with the token of a site alone')
      if (!catalog.sites.get(site).handsSecrets || !catalog.sites.isSecret(site, credentialRef)) {
        throw new HoldfastError('Forbidden', `the server does not hand ${credentialRef} to site ${site}`, {
          hint: `Put it on the worker, or allow it: \`holdfast site set ${site} --secrets server\`.`,
        })
      }
      deps.log.info({ site, token: c.var.identity.user, credentialRef }, 'a secret was handed to a worker')
      return c.json({ secret: await deps.secret(credentialRef) }, 200)
    })
}
