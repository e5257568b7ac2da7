import { OpenAPIHono, type z } from '@hono/zod-openapi'
import type { Context, TypedResponse } from 'hono'
import { HoldfastError } from '../../base/index.ts'
import type { PolicyProblem } from '../../policy/index.ts'
import type { ApiEnv } from '../auth.ts'
import type { RunHandle } from '../orchestrator.ts'
import type { acceptedSchema } from '../schemas/runs.ts'
import { accepted } from '../views/runs.ts'

/** A router whose validation errors name the member and what is wrong with it. */
export function router(): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (result.success) return
      const issues = result.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
      const [first] = issues
      throw new HoldfastError(
        'InvalidRequest',
        first ? `${first.path || result.target}: ${first.message}` : 'the request is not valid',
        {
          data: { where: result.target, issues },
        },
      )
    },
  })
}

/** What an Idempotency-Key is bound to: the same words again, not merely the same address. */
export function requestOf(
  req: { readonly method: string; readonly path: string },
  header: { readonly 'idempotency-key'?: string | undefined },
  body: unknown,
): { key: string | undefined; request: string } {
  return { key: header['idempotency-key'], request: `${req.method} ${req.path}\n${JSON.stringify(body)}` }
}

/** 202: the run has begun, and where it can be followed. */
export function answerAccepted(
  c: Pick<Context, 'header' | 'json'>,
  run: RunHandle,
): TypedResponse<z.infer<typeof acceptedSchema>, 202, 'json'> & Response {
  const body = accepted(run)
  c.header('location', body.links.run)
  return c.json(body, 202)
}

/** Every problem at once. */
export function refuseProblems(problems: readonly PolicyProblem[]): void {
  if (problems.length === 0) return
  const list = problems.map(({ path, message, hint }) => ({ path: path.join('.'), message, hint }))
  const text = list
    .map(({ path, message, hint }) => `${path}: ${message}${hint === null ? '' : `. ${hint}`}`)
    .join('\n')
  throw new HoldfastError('PolicyInvalid', text, { data: { problems: list } })
}
