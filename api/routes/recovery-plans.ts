import { pageQuery, slug } from '../schemas/common.ts'
import {
  recoveryAbort,
  recoveryApproval,
  recoveryCheckSchema,
  recoveryChoice,
  recoveryPlanSchema,
  recoveryPlansSchema,
  recoveryRunSchema,
  recoveryRunsSchema,
  recoverySpecChange,
  recoverySpecSchema,
  recoveryStartBody,
} from '../schemas/recovery-plans.ts'
import { acceptedSchema } from '../schemas/runs.ts'
import { body, createRoute, idempotencyHeader, json, problems, security, z } from './common.ts'

const tags = ['recovery plans']
const params = z.object({ id: slug.openapi({ param: { name: 'id', in: 'path' }, example: 'the-shop' }) })
const runParams = z.object({
  run: z
    .string()
    .min(1)
    .max(200)
    .openapi({ param: { name: 'run', in: 'path' } }),
})

export const list = createRoute({
  ...{ method: 'get', path: '/recovery-plans', tags, operationId: 'listRecoveryPlans', security },
  summary: 'Recovery plans, and when each was rehearsed',
  responses: { 200: json(recoveryPlansSchema, 'By name'), ...problems(401) },
})
export const get = createRoute({
  ...{ method: 'get', path: '/recovery-plans/{id}', tags, operationId: 'getRecoveryPlan', security },
  summary: 'One of them',
  request: { params },
  responses: { 200: json(recoveryPlanSchema, 'As it is'), ...problems(401, 404, 422) },
})
export const create = createRoute({
  ...{ method: 'post', path: '/recovery-plans', tags, operationId: 'createRecoveryPlan', security },
  summary: 'Make a recovery plan',
  request: body(recoverySpecSchema),
  responses: { 201: json(recoveryPlanSchema, 'Made'), ...problems(400, 401, 403, 409, 422) },
})
export const change = createRoute({
  ...{ method: 'put', path: '/recovery-plans/{id}', tags, operationId: 'changeRecoveryPlan', security },
  summary: 'What it says from now on; a run under way goes on as it began',
  request: { params, ...body(recoverySpecChange) },
  responses: { 200: json(recoveryPlanSchema, 'Changed'), ...problems(400, 401, 403, 404, 409, 422) },
})
export const remove = createRoute({
  ...{ method: 'delete', path: '/recovery-plans/{id}', tags, operationId: 'removeRecoveryPlan', security },
  summary: 'Remove it; what came of its runs stays',
  request: { params },
  responses: { 204: { description: 'Removed' }, ...problems(401, 403, 404, 409, 422) },
})
export const check = createRoute({
  ...{ method: 'post', path: '/recovery-plans/check', tags, operationId: 'checkRecoveryPlan', security },
  summary: 'What a definition would do, and what is wrong with it; nothing is kept',
  request: body(recoverySpecSchema),
  responses: { 200: json(recoveryCheckSchema, 'Order and findings'), ...problems(400, 401, 403, 422) },
})
export const start = createRoute({
  ...{ method: 'post', path: '/recovery-plans/{id}/start', tags, operationId: 'startRecoveryPlan', security },
  summary: 'Rehearse it, or run it for real',
  request: { params, headers: idempotencyHeader, ...body(recoveryStartBody) },
  responses: { 202: json(acceptedSchema, 'Started'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})
export const runs = createRoute({
  ...{ method: 'get', path: '/recovery-plans/{id}/runs', tags, operationId: 'listRecoveryRuns', security },
  summary: 'Its rehearsals and runs',
  request: { params, query: pageQuery },
  responses: { 200: json(recoveryRunsSchema, 'Newest first'), ...problems(400, 401, 404, 422) },
})
export const report = createRoute({
  ...{ method: 'get', path: '/recovery-runs/{run}', tags, operationId: 'getRecoveryRun', security },
  summary: 'How far a run is, what it waits for, and how long each tier took',
  request: { params: runParams },
  responses: { 200: json(recoveryRunSchema, 'Tier by tier'), ...problems(401, 404, 422) },
})
export const approve = createRoute({
  ...{ method: 'post', path: '/recovery-runs/{run}/approve', tags, operationId: 'approveRecoveryStep', security },
  summary: 'A manual step is done',
  request: { params: runParams, ...body(recoveryApproval) },
  responses: { 200: json(recoveryRunSchema, 'It goes on'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})
export const choose = createRoute({
  ...{ method: 'post', path: '/recovery-runs/{run}/choose', tags, operationId: 'chooseRecoveryTier', security },
  summary: 'What becomes of a tier that did not come up',
  request: { params: runParams, ...body(recoveryChoice) },
  responses: { 200: json(recoveryRunSchema, 'So it is done'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})
export const abort = createRoute({
  ...{ method: 'post', path: '/recovery-runs/{run}/abort', tags, operationId: 'abortRecoveryRun', security },
  summary: 'End it now: remove everything, or hand over what stands',
  request: { params: runParams, ...body(recoveryAbort) },
  responses: { 200: json(recoveryRunSchema, 'It ends'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})
