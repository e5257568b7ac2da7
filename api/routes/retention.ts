import { pointId, repositoryId } from '../schemas/common.ts'
import { holdBody, holdsSchema, releaseBody, removePointBody } from '../schemas/holds.ts'
import {
  approveSweepBody,
  auditQuery,
  collectionsSchema,
  retentionAuditSchema,
  retentionAuditsSchema,
  setSweepSettingsBody,
  sweepBody,
  sweepListQuery,
  sweepPageSchema,
  sweepPointPageSchema,
  sweepPointQuery,
  sweepSchema,
  sweepSeriesPageSchema,
  sweepSeriesQuery,
  sweepSettingsSchema,
} from '../schemas/retention.ts'
import { acceptedSchema } from '../schemas/runs.ts'
import { body, createRoute, idempotencyHeader, json, problems, security, z } from './common.ts'

const tags = ['retention']
const repositoryParam = z.object({ id: repositoryId.openapi({ param: { name: 'id', in: 'path' } }) })
const pointParam = z.object({ id: pointId.openapi({ param: { name: 'id', in: 'path' } }) })
const sweepParam = z.object({
  run: z
    .string()
    .min(1)
    .max(100)
    .openapi({ param: { name: 'run', in: 'path' }, description: 'Run id of the sweep' }),
})
const actProblems = problems(400, 401, 403, 404, 409, 422, 503, 504)

export const start = createRoute({
  method: 'post',
  path: '/repositories/{id}/sweeps',
  tags,
  operationId: 'startSweep',
  summary: 'Plan what retention takes of a repository, and take it',
  description:
    'The plan comes first and is stored: what goes, what stays and which rule keeps it. `mode: plan` ends there. A VM that would lose more than `maxShare` of its points is not touched before somebody has approved exactly that plan.',
  security,
  request: { params: repositoryParam, headers: idempotencyHeader, ...body(sweepBody) },
  responses: { 202: json(acceptedSchema, 'Started'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})

export const allSettings = createRoute({
  method: 'get',
  path: '/sweep-settings',
  tags,
  operationId: 'getSweepSettings',
  summary: 'With what the sweeps of all repositories run that say nothing else',
  security,
  request: {},
  responses: { 200: json(sweepSettingsSchema, 'What holds and what is set'), ...problems(401) },
})

export const setAllSettings = createRoute({
  method: 'put',
  path: '/sweep-settings',
  tags,
  operationId: 'setSweepSettings',
  summary: 'Replace what is set for the sweeps of all repositories',
  description: 'A sweep that runs or waits goes on with what it was started with.',
  security,
  request: body(setSweepSettingsBody),
  responses: { 200: json(sweepSettingsSchema, 'As it is now'), ...problems(400, 401, 403) },
})

export const settings = createRoute({
  method: 'get',
  path: '/repositories/{id}/sweep-settings',
  tags,
  operationId: 'getRepositorySweepSettings',
  summary: 'With what the sweeps of a repository run',
  security,
  request: { params: repositoryParam },
  responses: { 200: json(sweepSettingsSchema, 'What holds and what is set'), ...problems(400, 401, 404) },
})

export const setSettings = createRoute({
  method: 'put',
  path: '/repositories/{id}/sweep-settings',
  tags,
  operationId: 'setRepositorySweepSettings',
  summary: 'Replace what is set for the sweeps of a repository',
  description: 'A sweep that runs or waits goes on with what it was started with.',
  security,
  request: { params: repositoryParam, ...body(setSweepSettingsBody) },
  responses: { 200: json(sweepSettingsSchema, 'As it is now'), ...problems(400, 401, 403, 404) },
})

export const list = createRoute({
  method: 'get',
  path: '/sweeps',
  tags,
  operationId: 'listSweeps',
  summary: 'Retention sweeps and dry runs',
  security,
  request: { query: sweepListQuery },
  responses: { 200: json(sweepPageSchema, 'Newest first'), ...problems(400, 401) },
})

export const get = createRoute({
  method: 'get',
  path: '/sweeps/{run}',
  tags,
  operationId: 'getSweep',
  summary: 'One sweep',
  security,
  request: { params: sweepParam },
  responses: { 200: json(sweepSchema, 'Its plan in numbers, and what came of it'), ...problems(400, 401, 404) },
})

export const series = createRoute({
  method: 'get',
  path: '/sweeps/{run}/series',
  tags,
  operationId: 'listSweepSeries',
  summary: 'What each VM would lose',
  security,
  request: { params: sweepParam, query: sweepSeriesQuery },
  responses: { 200: json(sweepSeriesPageSchema, 'Those that lose most first'), ...problems(400, 401, 404) },
})

export const points = createRoute({
  method: 'get',
  path: '/sweeps/{run}/points',
  tags,
  operationId: 'listSweepPoints',
  summary: 'What goes, what stays, and which rule keeps it',
  security,
  request: { params: sweepParam, query: sweepPointQuery },
  responses: { 200: json(sweepPointPageSchema, 'By VM, newest first'), ...problems(400, 401, 404) },
})

export const approve = createRoute({
  method: 'post',
  path: '/sweeps/{run}/approve',
  tags,
  operationId: 'approveSweep',
  summary: 'Agree to exactly the plan that the digest names',
  security,
  request: { params: sweepParam, ...body(approveSweepBody) },
  responses: { 202: json(acceptedSchema, 'It goes on'), ...actProblems },
})

export const audit = createRoute({
  method: 'get',
  path: '/sweeps/{run}/audit',
  tags,
  operationId: 'auditSweep',
  summary: 'Policy against reality, one row for each point',
  security,
  request: { params: sweepParam, query: auditQuery },
  responses: {
    200: {
      description: 'As CSV, or as JSON with one object for each point',
      content: {
        'text/csv': { schema: z.string() },
        'application/json': { schema: z.object({ items: z.array(z.record(z.string(), z.unknown())) }) },
      },
    },
    ...problems(400, 401, 404),
  },
})

export const audits = createRoute({
  method: 'get',
  path: '/repositories/{id}/retention-audits',
  tags,
  operationId: 'listRetentionAudits',
  summary: 'Policy against reality, as it was found once a day',
  security,
  request: { params: repositoryParam },
  responses: { 200: json(retentionAuditsSchema, 'Newest first, 30 at most'), ...problems(401, 404) },
})

export const check = createRoute({
  method: 'post',
  path: '/repositories/{id}/retention-audits',
  tags,
  operationId: 'auditRetention',
  summary: 'Compare now what a repository keeps with what its policies say',
  security,
  request: { params: repositoryParam },
  responses: { 200: json(retentionAuditSchema, 'Written down as well'), ...problems(401, 403, 404) },
})

export const collections = createRoute({
  method: 'get',
  path: '/repositories/{id}/collections',
  tags,
  operationId: 'listCollections',
  summary: 'The last garbage collections',
  security,
  request: { params: repositoryParam },
  responses: { 200: json(collectionsSchema, 'Newest first, 30 at most'), ...problems(401, 404) },
})

export const hold = createRoute({
  method: 'post',
  path: '/points/{id}/holds',
  tags,
  operationId: 'holdPoint',
  summary: 'Keep a point whatever rules say',
  security,
  request: { params: pointParam, ...body(holdBody) },
  responses: { 200: json(holdsSchema, 'Its holds'), ...actProblems },
})

export const release = createRoute({
  method: 'post',
  path: '/points/{id}/release',
  tags,
  operationId: 'releasePoint',
  summary: 'End a hold',
  security,
  request: { params: pointParam, ...body(releaseBody) },
  responses: { 200: json(holdsSchema, 'Those that are left'), ...actProblems },
})

export const remove = createRoute({
  method: 'post',
  path: '/points/{id}/remove',
  tags,
  operationId: 'removePoint',
  summary: 'Put a tombstone on a point',
  description: 'Refused where a retention rule, a hold or a guard of the repository keeps it; the answer names it.',
  security,
  request: { params: pointParam, ...body(removePointBody) },
  responses: { 204: { description: 'Removed; its data are freed by a later collection' }, ...actProblems },
})
