import {
  acceptedSchema,
  historyPageSchema,
  planRunVmPageSchema,
  reasonBody,
  retriedSchema,
  retryBody,
  retryNowBody,
  runListQuery,
  runPageSchema,
  runParam,
  runSchema,
} from '../schemas/runs.ts'
import { pageQuery } from '../schemas/common.ts'
import { runbookSchema } from '../schemas/runbook.ts'
import { body, createRoute, idempotencyHeader, json, problems, security } from './common.ts'

const tags = ['runs']
const request = { params: runParam }

export const list = createRoute({
  method: 'get',
  path: '/runs',
  tags,
  operationId: 'listRuns',
  summary: 'Runs',
  security,
  request: { query: runListQuery },
  responses: { 200: json(runPageSchema, 'Open ones first, then newest first'), ...problems(400, 401) },
})

export const get = createRoute({
  method: 'get',
  path: '/runs/{run}',
  tags,
  operationId: 'getRun',
  summary: 'One run',
  security,
  request,
  responses: { 200: json(runSchema, 'As last seen'), ...problems(401, 404) },
})

export const runbook = createRoute({
  method: 'get',
  path: '/runs/{run}/runbook',
  tags,
  operationId: 'getRunbook',
  summary: 'The runbook: phases, steps, actions',
  security,
  request,
  responses: { 200: json(runbookSchema, 'Live, or from the archive'), ...problems(401, 404, 503) },
})

export const history = createRoute({
  method: 'get',
  path: '/runs/{run}/events',
  tags,
  operationId: 'listRunEvents',
  summary: 'Raw history',
  security,
  request: { ...request, query: pageQuery },
  responses: { 200: json(historyPageSchema, 'Oldest first'), ...problems(400, 401, 404, 503) },
})

export const vms = createRoute({
  method: 'get',
  path: '/runs/{run}/vms',
  tags,
  operationId: 'listPlanRunVms',
  summary: 'What came of each VM, of a run of a plan',
  security,
  request: { ...request, query: pageQuery },
  responses: { 200: json(planRunVmPageSchema, 'In the order in which they are taken'), ...problems(400, 401, 404) },
})

const actionProblems = problems(400, 401, 403, 404, 409, 503)

export const pause = createRoute({
  method: 'post',
  path: '/runs/{run}/pause',
  tags,
  operationId: 'pauseRun',
  summary: 'Pause',
  security,
  request: { ...request, ...body(reasonBody) },
  responses: { 202: json(acceptedSchema, 'It pauses'), ...actionProblems },
})

export const resume = createRoute({
  method: 'post',
  path: '/runs/{run}/resume',
  tags,
  operationId: 'resumeRun',
  summary: 'Resume',
  security,
  request: { ...request, ...body(reasonBody) },
  responses: { 202: json(acceptedSchema, 'It goes on'), ...actionProblems },
})

export const cancel = createRoute({
  method: 'post',
  path: '/runs/{run}/cancel',
  tags,
  operationId: 'cancelRun',
  summary: 'Cancel; what was begun is undone',
  security,
  request: { ...request, ...body(reasonBody) },
  responses: { 202: json(acceptedSchema, 'It is undoing its steps'), ...actionProblems },
})

export const retry = createRoute({
  method: 'post',
  path: '/runs/{run}/retry',
  tags,
  operationId: 'retryRun',
  summary: 'Start an ended run again with the same input',
  description:
    'A restore in place replaces disks, so it is repeated only with the name of its VM; a restore that has completed is not repeated at all.',
  security,
  request: { ...request, ...body(retryBody), headers: idempotencyHeader },
  responses: { 202: json(acceptedSchema, 'The new run'), ...actionProblems },
})

export const retryNow = createRoute({
  method: 'post',
  path: '/runs/{run}/retry-now',
  tags,
  operationId: 'retryRunNow',
  security,
  summary: 'Do not wait for the next attempt',
  request: { ...request, ...body(retryNowBody) },
  responses: { 200: json(retriedSchema, 'The steps that try again now'), ...actionProblems },
})
