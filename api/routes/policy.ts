import { categoryName, pageQuery, planName } from '../schemas/common.ts'
import {
  categoryListSchema,
  categoryPreviewBody,
  categoryPreviewSchema,
  categoryPutBody,
  categorySchema,
  planMembersBody,
  planFarewellSchema,
  planLatelySchema,
  planMembersSchema,
  planPageSchema,
  planPatchBody,
  planPreviewBody,
  planPreviewSchema,
  planPutBody,
  planRunBody,
  planSchema,
} from '../schemas/plans.ts'
import { policyComparisonSchema, policyDifferenceSchema, policyFileBody } from '../schemas/policy-file.ts'
import { schedulePageSchema } from '../schemas/schedules.ts'
import { acceptedSchema } from '../schemas/runs.ts'
import { body, createRoute, idempotencyHeader, json, problems, security, z } from './common.ts'

const plan = z.object({ id: planName.openapi({ param: { name: 'id', in: 'path' } }) })
const category = z.object({ id: categoryName.openapi({ param: { name: 'id', in: 'path' } }) })
const seen = z.object({
  revision: z.coerce.number().int().min(1).optional().openapi({ description: 'The one that was seen' }),
})
const removed = { 204: { description: 'Removed' } }

export const listPlans = createRoute({
  method: 'get',
  path: '/plans',
  tags: ['plans'],
  operationId: 'listPlans',
  summary: 'Plans',
  security,
  request: { query: pageQuery },
  responses: { 200: json(planPageSchema, 'By name'), ...problems(400, 401) },
})

export const listSchedules = createRoute({
  method: 'get',
  path: '/schedules',
  tags: ['plans'],
  operationId: 'listSchedules',
  summary: 'When plans start, and whether the engine has their schedules as they say',
  security,
  request: { query: pageQuery },
  responses: { 200: json(schedulePageSchema, 'By name of the plan'), ...problems(400, 401) },
})

export const getPlan = createRoute({
  method: 'get',
  path: '/plans/{id}',
  tags: ['plans'],
  operationId: 'getPlan',
  summary: 'One plan',
  security,
  request: { params: plan },
  responses: { 200: json(planSchema, 'With what matches it now'), ...problems(401, 404) },
})

export const putPlan = createRoute({
  method: 'put',
  path: '/plans/{id}',
  tags: ['plans'],
  operationId: 'putPlan',
  summary: 'Make or change a plan',
  security,
  request: { params: plan, ...body(planPutBody) },
  responses: { 200: json(planSchema, 'As it is now'), ...problems(400, 401, 403, 404, 409, 422) },
})

export const patchPlan = createRoute({
  method: 'patch',
  path: '/plans/{id}',
  tags: ['plans'],
  operationId: 'patchPlan',
  summary: 'Pause or resume a plan',
  description: 'A run that is under way goes on. Starts that were due meanwhile are not made up for.',
  security,
  request: { params: plan, ...body(planPatchBody) },
  responses: { 200: json(planSchema, 'As it is now'), ...problems(400, 401, 403, 404, 409) },
})

export const planLately = createRoute({
  method: 'get',
  path: '/plans/{id}/lately',
  tags: ['plans'],
  operationId: 'planLately',
  summary: 'What came of a plan in the last seven days',
  security,
  request: { params: plan },
  responses: {
    200: json(planLatelySchema, 'How long it took, what was read in full, what was less consistent'),
    ...problems(401, 404),
  },
})

export const planFarewell = createRoute({
  method: 'get',
  path: '/plans/{id}/farewell',
  tags: ['plans'],
  operationId: 'planFarewell',
  summary: 'What would follow from removing a plan',
  security,
  request: { params: plan },
  responses: { 200: json(planFarewellSchema, 'Nothing is changed'), ...problems(401, 404) },
})

export const removePlan = createRoute({
  method: 'delete',
  path: '/plans/{id}',
  tags: ['plans'],
  operationId: 'removePlan',
  summary: 'Remove a plan',
  description: 'Removes no recovery point: its points go on ageing by what it said last.',
  security,
  request: { params: plan, query: seen },
  responses: { ...removed, ...problems(401, 403, 404, 409) },
})

export const joinPlan = createRoute({
  method: 'post',
  path: '/plans/{id}/members',
  tags: ['plans'],
  operationId: 'joinPlan',
  summary: 'Let a plan take these VMs',
  description:
    'A plan takes the VMs that its rules select. A VM joins by its category, or by its name where the plan names VMs; what other rules keep out is refused, with the rule.',
  security,
  request: { params: plan, ...body(planMembersBody) },
  responses: { 200: json(planMembersSchema, 'What became of each'), ...problems(400, 401, 403, 404, 409) },
})

export const runPlan = createRoute({
  method: 'post',
  path: '/plans/{id}/run',
  tags: ['plans'],
  operationId: 'runPlan',
  summary: 'Run a plan now',
  description: 'Also a paused one. Its schedule does not change. Refused while a run of the plan is under way.',
  security,
  request: { params: plan, headers: idempotencyHeader, ...body(planRunBody) },
  responses: { 202: json(acceptedSchema, 'Started'), ...problems(400, 401, 403, 404, 409, 503) },
})

export const previewPlan = createRoute({
  method: 'post',
  path: '/plans/preview',
  tags: ['plans'],
  operationId: 'previewPlan',
  summary: 'What follows from a plan, before it is saved',
  description: 'Changes nothing. Problems of its content are part of the answer.',
  security,
  request: body(planPreviewBody),
  responses: { 200: json(planPreviewSchema, 'Matches, next times, retention a year ahead'), ...problems(400, 401) },
})

export const listCategories = createRoute({
  method: 'get',
  path: '/categories',
  tags: ['categories'],
  operationId: 'listCategories',
  summary: 'Workload categories',
  security,
  responses: { 200: json(categoryListSchema, 'The shortest RPO first'), ...problems(401) },
})

export const previewCategory = createRoute({
  method: 'post',
  path: '/categories/preview',
  tags: ['categories'],
  operationId: 'previewCategory',
  summary: 'What follows from a category for points that exist, before it is saved',
  description: 'Changes nothing. Problems of its content are part of the answer.',
  security,
  request: body(categoryPreviewBody),
  responses: { 200: json(categoryPreviewSchema, 'What the next sweep would let go'), ...problems(400, 401) },
})

export const putCategory = createRoute({
  method: 'put',
  path: '/categories/{id}',
  tags: ['categories'],
  operationId: 'putCategory',
  summary: 'Make or change a category',
  security,
  request: { params: category, ...body(categoryPutBody) },
  responses: { 200: json(categorySchema, 'As it is now'), ...problems(400, 401, 403, 404, 409, 422) },
})

export const removeCategory = createRoute({
  method: 'delete',
  path: '/categories/{id}',
  tags: ['categories'],
  operationId: 'removeCategory',
  summary: 'Remove a category that no VM has',
  security,
  request: { params: category, query: seen },
  responses: { ...removed, ...problems(401, 403, 404, 409) },
})

export const exportPolicy = createRoute({
  method: 'get',
  path: '/policy',
  tags: ['policy'],
  operationId: 'exportPolicy',
  summary: 'Everything that is policy, as a policy file',
  security,
  request: { query: z.object({ plan: planName.optional().openapi({ description: 'Only this plan' }) }) },
  responses: { 200: json(z.object({ file: z.string() }), 'YAML'), ...problems(401, 404) },
})

export const comparePolicy = createRoute({
  method: 'post',
  path: '/policy/difference',
  tags: ['policy'],
  operationId: 'comparePolicy',
  summary: 'What a policy file would change',
  security,
  request: body(policyFileBody),
  responses: { 200: json(policyComparisonSchema, 'Nothing was changed'), ...problems(400, 401, 413, 422) },
})

export const applyPolicy = createRoute({
  method: 'post',
  path: '/policy/apply',
  tags: ['policy'],
  operationId: 'applyPolicy',
  summary: 'Make it so',
  description: 'All or nothing. A repetition changes nothing.',
  security,
  request: body(policyFileBody),
  responses: { 200: json(policyDifferenceSchema, 'What was changed'), ...problems(400, 401, 403, 409, 413, 422) },
})
