import { restoreBody, restoreChecksSchema } from '../schemas/actions.ts'
import { acceptedSchema } from '../schemas/runs.ts'
import { body, createRoute, idempotencyHeader, json, problems, security } from './common.ts'

const tags = ['restores']

export const start = createRoute({
  method: 'post',
  path: '/restores',
  tags,
  operationId: 'startRestore',
  summary: 'Restore a VM',
  security,
  request: { headers: idempotencyHeader, ...body(restoreBody) },
  responses: { 202: json(acceptedSchema, 'Started'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})

export const check = createRoute({
  method: 'post',
  path: '/restores/checks',
  tags,
  operationId: 'checkRestore',
  security,
  summary: 'Would this restore work, and what would it do',
  description: 'Changes nothing.',
  request: body(restoreBody),
  responses: {
    200: json(restoreChecksSchema, 'Findings, also blocking ones'),
    ...problems(400, 401, 403, 404, 422, 503, 504),
  },
})
