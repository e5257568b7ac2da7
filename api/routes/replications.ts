import {
  cycleBody,
  moveBody,
  replicationBody,
  replicationChange,
  replicationSchema,
  replicationsSchema,
  standbyTestBody,
} from '../schemas/replications.ts'
import { acceptedSchema } from '../schemas/runs.ts'
import { body, createRoute, idempotencyHeader, json, problems, security, z } from './common.ts'

const tags = ['replications']
const params = z.object({
  id: z
    .string()
    .min(1)
    .max(200)
    .openapi({ param: { name: 'id', in: 'path' }, description: 'Of the pair; or its VM, if that has one standby' }),
})

export const list = createRoute({
  method: 'get',
  path: '/replications',
  tags,
  operationId: 'listReplications',
  summary: 'Standbys, and how far each is behind',
  security,
  responses: { 200: json(replicationsSchema, 'By name of the VM'), ...problems(401) },
})

export const get = createRoute({
  method: 'get',
  path: '/replications/{id}',
  tags,
  operationId: 'getReplication',
  summary: 'One of them',
  security,
  request: { params },
  responses: { 200: json(replicationSchema, 'As it stands now'), ...problems(401, 404, 422) },
})

export const create = createRoute({
  method: 'post',
  path: '/replications',
  tags,
  operationId: 'createReplication',
  summary: 'Let a standby follow a VM on another hypervisor',
  description: 'The first cycle brings all of it over; each further one what has changed.',
  security,
  request: body(replicationBody),
  responses: { 201: json(replicationSchema, 'It is seeded'), ...problems(400, 401, 403, 404, 409, 422) },
})

export const change = createRoute({
  method: 'patch',
  path: '/replications/{id}',
  tags,
  operationId: 'changeReplication',
  summary: 'How far it may be behind, and whether cycles begin by themselves',
  security,
  request: { params, ...body(replicationChange) },
  responses: { 200: json(replicationSchema, 'Changed'), ...problems(400, 401, 403, 404, 422) },
})

export const cycle = createRoute({
  method: 'post',
  path: '/replications/{id}/cycle',
  tags,
  operationId: 'replicateNow',
  summary: 'Bring over what has changed, now',
  security,
  request: { params, headers: idempotencyHeader, ...body(cycleBody) },
  responses: { 202: json(acceptedSchema, 'Started'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})

export const move = createRoute({
  method: 'post',
  path: '/replications/{id}/move',
  tags,
  operationId: 'moveReplication',
  summary: 'Fail over, fail back, or end the pair',
  description:
    'Until the guest runs at its new place everything can be, and is, undone. A cycle under way is pushed aside.',
  security,
  request: { params, headers: idempotencyHeader, ...body(moveBody) },
  responses: { 202: json(acceptedSchema, 'Started'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})

export const test = createRoute({
  method: 'post',
  path: '/replications/{id}/test',
  tags,
  operationId: 'testStandby',
  summary: 'Boot a copy of the standby where it reaches nothing, and remove it',
  description: 'The standby goes on to follow meanwhile.',
  security,
  request: { params, headers: idempotencyHeader, ...body(standbyTestBody) },
  responses: { 202: json(acceptedSchema, 'Started'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})
