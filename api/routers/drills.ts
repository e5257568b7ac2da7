import type { OpenAPIHono } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import { encodeBundle, evidencePage, type EvidenceBundle } from '../../evidence/index.ts'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { drillBundle, verifyDrill } from '../drill-evidence.ts'
import { readEvidence, sendEvidence } from '../evidence.ts'
import { planDrill } from '../requests/drill.ts'
import { startOnce } from '../requests/start.ts'
import { drillRoutes as routes } from '../routes/index.ts'
import { agendaView, drillDetailView, drillView } from '../views/drills.ts'
import { answerAccepted, requestOf, router } from './common.ts'

export function drillRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, now, evidenceDir, log } = deps
  return router()
    .openapi(routes.start, async (c) => {
      const wish = c.req.valid('json')
      const plan = planDrill(catalog, wish, c.var.identity.user, now())
      return answerAccepted(c, await startOnce(deps, plan, requestOf(c.req, c.req.valid('header'), wish)))
    })
    .openapi(routes.list, (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query')
      const page = catalog.drills.list({ limit, cursor }, filter)
      return c.json({ ...page, items: page.items.map(drillView) }, 200)
    })
    .openapi(routes.agenda, (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query')
      return c.json(agendaView(deps, { limit, cursor }, filter), 200)
    })
    .openapi(routes.get, (c) => c.json(drillDetailView(deps, catalog.drills.get(c.req.valid('param').id)), 200))
    .openapi(routes.document, async (c) => {
      const drill = catalog.drills.get(c.req.valid('param').id)
      const { format } = c.req.valid('query')
      return sendDocument(drill.id, format, await drillBundle(deps, drill))
    })
    .openapi(routes.verification, async (c) => {
      const drill = catalog.drills.get(c.req.valid('param').id)
      const { isGenuine: genuine, problems, signedMs, keyId: key, picture } = await verifyDrill(deps, drill)
      return c.json({ genuine, problems: [...problems], signedMs, key, picture }, 200)
    })
    .openapi(routes.keys, (c) => c.json({ items: catalog.evidence.keys() }, 200))
    .openapi(routes.rotateKey, async (c) => {
      const { id } = await deps.rotateEvidenceKey()
      const about = { vmId: null, pointId: null, subject: id, detail: {} }
      catalog.audit.add({ user: c.var.identity.user, action: 'rotate-key', ...about })
      log.info({ user: c.var.identity.user, key: id }, 'evidence of drills is signed with a new key')
      return c.json({ items: catalog.evidence.keys() }, 201)
    })
    .openapi(routes.screenshot, async (c) => {
      const drill = catalog.drills.get(c.req.valid('param').id)
      if (drill.screenshot === null) throw new HoldfastError('NotFound', `the drill ${drill.id} took no picture`)
      return sendEvidence(await readEvidence(evidenceDir, drill.screenshot))
    })
}

/** A file that is kept, not a page of ours: what guests have said is in it. */
function sendDocument(id: string, format: 'html' | 'json', bundle: EvidenceBundle): Response {
  const isPage = format === 'html'
  return new Response(isPage ? evidencePage(bundle) : encodeBundle(bundle), {
    headers: {
      'content-type': isPage ? 'text/html; charset=utf-8' : 'application/json',
      'content-disposition': `attachment; filename="drill-${id}.${format}"`,
      'content-security-policy': "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox",
      'x-content-type-options': 'nosniff',
    },
  })
}
