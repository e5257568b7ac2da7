import {
  discardInstantBody,
  instantBody,
  instantListQuery,
  instantPageSchema,
  instantSchema,
  migrateInstantBody,
} from '../schemas/instants.ts'
import { acceptedSchema } from '../schemas/runs.ts'
import { body, createRoute, idempotencyHeader, json, problems, security, z } from './common.ts'

const tags = ['instants']
const runParam = z.object({
  run: z
    .string()
    .min(1)
    .max(100)
    .openapi({ param: { name: 'run', in: 'path' }, description: 'Run id of the instant restore' }),
})

export const start = createRoute({
  method: 'post',
  path: '/instants',
  tags,
  operationId: 'startInstant',
  summary: 'Boot a point out of its repository',
  description:
    'A new VM runs within seconds; what it reads comes from the repository, what it writes stays on the hypervisor. It runs until somebody has it migrated or discarded.',
  security,
  request: { headers: idempotencyHeader, ...body(instantBody) },
  responses: { 202: json(acceptedSchema, 'Started'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})

export const list = createRoute({
  method: 'get',
  path: '/instants',
  tags,
  operationId: 'listInstants',
  summary: 'VMs that run from a repository',
  security,
  request: { query: instantListQuery },
  responses: { 200: json(instantPageSchema, 'Newest first'), ...problems(400, 401) },
})

export const get = createRoute({
  method: 'get',
  path: '/instants/{run}',
  tags,
  operationId: 'getInstant',
  summary: 'One of them',
  security,
  request: { params: runParam },
  responses: { 200: json(instantSchema, 'With its age, its I/O and what remains to be done'), ...problems(401, 404) },
})

export const migrate = createRoute({
  method: 'post',
  path: '/instants/{run}/migrate',
  tags,
  operationId: 'migrateInstant',
  summary: 'Copy it to the hypervisor while it runs',
  description:
    'The guest is not stopped. Afterwards the VM needs nothing of the repository and belongs to nobody’s run.',
  security,
  request: { params: runParam, ...body(migrateInstantBody) },
  responses: { 202: json(acceptedSchema, 'It is copied'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})

export const discard = createRoute({
  method: 'post',
  path: '/instants/{run}/discard',
  tags,
  operationId: 'discardInstant',
  summary: 'Remove it with everything that its guest has written',
  security,
  request: { params: runParam, ...body(discardInstantBody) },
  responses: { 202: json(acceptedSchema, 'It is removed'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})
