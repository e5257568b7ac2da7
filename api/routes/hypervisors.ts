import { hypervisorId, pageQuery } from '../schemas/common.ts'
import {
  addHypervisorBody,
  discoverySchema,
  hypervisorPageSchema,
  hypervisorSchema,
  probeSchema,
} from '../schemas/hypervisors.ts'
import { body, createRoute, json, problems, security, z } from './common.ts'

const params = z.object({ id: hypervisorId.openapi({ param: { name: 'id', in: 'path' } }) })
const tags = ['hypervisors']

export const list = createRoute({
  method: 'get',
  path: '/hypervisors',
  tags,
  operationId: 'listHypervisors',
  summary: 'All hypervisor endpoints',
  security,
  request: { query: pageQuery },
  responses: { 200: json(hypervisorPageSchema, 'By name'), ...problems(400, 401) },
})

export const add = createRoute({
  method: 'post',
  path: '/hypervisors',
  tags,
  operationId: 'addHypervisor',
  summary: 'Connect a hypervisor',
  security,
  description: 'Only writes it down; test it and discover its VMs next. Secrets stay with the workers.',
  request: body(addHypervisorBody),
  responses: { 201: json(hypervisorSchema, 'Connected'), ...problems(400, 401, 403, 409) },
})

export const get = createRoute({
  method: 'get',
  path: '/hypervisors/{id}',
  tags,
  operationId: 'getHypervisor',
  summary: 'One endpoint',
  security,
  request: { params },
  responses: { 200: json(hypervisorSchema, 'With its last probe'), ...problems(401, 404) },
})

export const test = createRoute({
  method: 'post',
  path: '/hypervisors/{id}/test',
  tags,
  operationId: 'testHypervisor',
  security,
  summary: 'Test the connection from a worker of its site',
  request: { params },
  responses: { 200: json(probeSchema, 'What the worker saw, good or bad'), ...problems(401, 403, 404, 503, 504) },
})

export const discover = createRoute({
  method: 'post',
  path: '/hypervisors/{id}/discover',
  tags,
  operationId: 'discoverHypervisor',
  security,
  summary: 'Test the connection and list its VMs',
  request: { params },
  responses: { 200: json(discoverySchema, 'What was found'), ...problems(401, 403, 404, 503, 504) },
})
