import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { protectionReport, reportLead, reportPage, reportTitle } from '../reports/index.ts'
import { reportRoutes as routes } from '../routes/index.ts'
import { router } from './common.ts'

export function reportRouter({ catalog, now }: ApiDeps): OpenAPIHono<ApiEnv> {
  return router().openapi(routes.protection, (c) => {
    const { period, format } = c.req.valid('query')
    const report = protectionReport(catalog, period, now())
    if (format === 'html') {
      // It is opened by itself, where no header of the dashboard guards it.
      c.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      return c.html(reportPage(report, catalog.installation.get().name), 200)
    }
    const { outside, repositories, vms, ...figures } = report
    const lists = { outside: [...outside], repositories: [...repositories] }
    const words = { title: reportTitle(report), lead: reportLead(report) }
    return c.json({ ...figures, ...words, ...lists, vms: { total: vms.total, by: { ...vms.by } } }, 200)
  })
}
