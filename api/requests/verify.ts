import type { z } from '@hono/zod-openapi'
import type { Catalog } from '../../catalog/index.ts'
import { verifyWorkflow, verifyWorkflowId, type VerifyInput } from '../../workflows/verify/contract.ts'
import type { verifyBody } from '../schemas/verify.ts'
import { planAtRepository, type StartPlan } from './start.ts'
import { repositoryRefOf, tuningOf } from './targets.ts'

export function planVerify(
  catalog: Catalog,
  repositoryId: string,
  wish: z.infer<typeof verifyBody>,
  user: string,
): StartPlan {
  const repository = catalog.repositories.get(repositoryId)
  const { level, quarantine, budgetBytes = null, reason } = wish
  const requestedBy = { user, reason }
  const input: VerifyInput = {
    v: 1,
    repository: repositoryRefOf(repository),
    level,
    quarantine,
    budgetBytes,
    requestedBy,
    tuning: tuningOf(wish.tuning),
  }
  const title = `Verify of ${repository.name}`
  return planAtRepository(repository, requestedBy, {
    workflowId: verifyWorkflowId(repositoryId),
    title,
    workflow: verifyWorkflow,
    input,
    summary: `${title}, ${level}`,
    priority: 5,
  })
}
