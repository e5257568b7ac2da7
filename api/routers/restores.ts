import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { consequences, newRequestId, planRestore, restoreParts } from '../requests/restore.ts'
import { startOnce } from '../requests/start.ts'
import { restoreRoutes as routes } from '../routes/index.ts'
import { askSite, errorNote } from '../site-checks.ts'
import {
  checkRestoreWorkflow,
  checkRestoreWorkflowId,
  type CheckRestoreInput,
  type CheckRestoreResult,
} from '../../workflows/inventory/contract.ts'
import { answerAccepted, requestOf, router } from './common.ts'

export function restoreRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog } = deps
  return router()
    .openapi(routes.start, async (c) => {
      const wish = c.req.valid('json')
      const plan = planRestore(catalog, wish, c.var.identity.user)
      return answerAccepted(c, await startOnce(deps, plan, requestOf(c.req, c.req.valid('header'), wish)))
    })
    .openapi(routes.check, async (c) => {
      const wish = c.req.valid('json')
      const parts = restoreParts(catalog, wish)
      const input: CheckRestoreInput = {
        v: 1,
        repository: parts.repository,
        stem: parts.point.stem,
        target: parts.target,
        ...(wish.disks !== undefined && { disks: wish.disks }),
        ...parts.names,
        identity: wish.identity,
        powerOn: wish.powerOn ?? false,
      }
      const result = (await askSite(deps, {
        workflow: checkRestoreWorkflow,
        workflowId: checkRestoreWorkflowId(newRequestId()),
        input,
        summary: `Check a restore of ${parts.vm.name}`,
        site: parts.target.kind === 'new' ? parts.target.site : parts.target.vm.site,
      })) as CheckRestoreResult
      const error = errorNote(result.error)
      const findings = [
        ...result.findings,
        ...(error
          ? [{ code: error.code, severity: 'blocking' as const, disk: null, message: error.message, hint: error.hint }]
          : []),
      ]
      const drilled = catalog.drills.latest(parts.vm.id)
      const usualMs = catalog.runs.usualDurationMs('restore', parts.vm.id)
      return c.json(
        {
          findings,
          passed: result.passed.map((one) => ({ ...one })),
          blocked: findings.some((finding) => finding.severity === 'blocking'),
          ...consequences(parts, wish, result.dataBytes),
          estimateSeconds:
            usualMs !== null ? usualMs / 1000 : drilled?.bootedFrom === 'disks' ? drilled.restoreSeconds : null,
        },
        200,
      )
    })
}
