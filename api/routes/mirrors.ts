import { mirrorBody, mirrorsSchema } from '../schemas/mirrors.ts'
import { acceptedSchema } from '../schemas/runs.ts'
import { body, createRoute, idempotencyHeader, json, problems, security } from './common.ts'

const tags = ['mirrors']

export const list = createRoute({
  method: 'get',
  path: '/mirrors',
  tags,
  operationId: 'listMirrors',
  summary: 'How far each mirror is behind its source',
  security,
  responses: { 200: json(mirrorsSchema, 'By name; 200 at most'), ...problems(401) },
})

export const start = createRoute({
  method: 'post',
  path: '/mirrors',
  tags,
  operationId: 'mirrorPoints',
  summary: 'Copy points into another repository, under its own keys and retention',
  description:
    'Each copy is read back from there before it counts. A run between the two that is under way takes what is asked for as well, and is the answer.',
  security,
  request: { headers: idempotencyHeader, ...body(mirrorBody) },
  responses: { 202: json(acceptedSchema, 'Started, or under way'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})
