import { hypervisorId, pageQuery } from '../schemas/common.ts'
import {
  addHypervisorBody,
  discoverySchema,
  hypervisorPageSchema,
  hypervisorSchema,
  importImagesBody,
  looseImagesSchema,
  probeSchema,
} from '../schemas/hypervisors.ts'
import { acceptedSchema } from '../schemas/runs.ts'
import { body, createRoute, idempotencyHeader, json, problems, security, z } from './common.ts'

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

export const images = createRoute({
  method: 'get',
  path: '/hypervisors/{id}/images',
  tags,
  operationId: 'listLooseImages',
  security,
  summary: 'Images in its folder, of which VMs can be made',
  description: 'Of the platform image only, asked of a worker of its site; by name, 500 at most.',
  request: { params },
  responses: { 200: json(looseImagesSchema, 'As they are now'), ...problems(401, 403, 404, 422, 502, 503, 504) },
})

export const importImages = createRoute({
  method: 'post',
  path: '/hypervisors/{id}/imports',
  tags: ['backups'],
  operationId: 'importImages',
  security,
  summary: 'Make a point of images that lie in its folder',
  description:
    'They become the disks of a VM of this hypervisor, of the platform image, and that VM is backed up: a run like any other. Only files of its folder are read, whoever asks: neither a path nor a link leads out of it.',
  request: { params, headers: idempotencyHeader, ...body(importImagesBody) },
  responses: { 202: json(acceptedSchema, 'Started'), ...problems(400, 401, 403, 404, 409, 422, 502, 503, 504) },
})
