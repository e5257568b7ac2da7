import { pageQuery, repositoryId } from '../schemas/common.ts'
import { acceptedSchema } from '../schemas/runs.ts'
import {
  verifyBody,
  verifyFindingPageSchema,
  verifyListQuery,
  verifyRunPageSchema,
  verifyRunSchema,
} from '../schemas/verify.ts'
import { body, createRoute, idempotencyHeader, json, problems, security, z } from './common.ts'

const tags = ['verify']
const repositoryParam = z.object({ id: repositoryId.openapi({ param: { name: 'id', in: 'path' } }) })
const runParam = z.object({
  run: z
    .string()
    .min(1)
    .max(100)
    .openapi({ param: { name: 'run', in: 'path' }, description: 'Run id of the verify' }),
})

export const start = createRoute({
  method: 'post',
  path: '/repositories/{id}/verify',
  tags,
  operationId: 'verifyRepository',
  summary: 'Prove level by level that what is stored can be read',
  description:
    'Says which points and disks need what is damaged. Nothing is repaired or deleted; a point that needs what is proved damaged is no recovery point any more, one that could not be read stays what it was.',
  security,
  request: { params: repositoryParam, headers: idempotencyHeader, ...body(verifyBody) },
  responses: { 202: json(acceptedSchema, 'Started'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})

export const list = createRoute({
  method: 'get',
  path: '/verify-runs',
  tags,
  operationId: 'listVerifyRuns',
  summary: 'Verifies of repositories',
  security,
  request: { query: verifyListQuery },
  responses: { 200: json(verifyRunPageSchema, 'Newest first'), ...problems(400, 401) },
})

export const get = createRoute({
  method: 'get',
  path: '/verify-runs/{run}',
  tags,
  operationId: 'getVerifyRun',
  summary: 'One verify',
  security,
  request: { params: runParam },
  responses: { 200: json(verifyRunSchema, 'With its verdict'), ...problems(401, 404) },
})

export const findings = createRoute({
  method: 'get',
  path: '/verify-runs/{run}/findings',
  tags,
  operationId: 'listVerifyFindings',
  summary: 'What a verify has found, and what needs it',
  description: 'Of the last ten verifies of a repository; the counts of earlier ones stay.',
  security,
  request: { params: runParam, query: pageQuery },
  responses: { 200: json(verifyFindingPageSchema, 'What is proved comes first'), ...problems(400, 401, 404) },
})
