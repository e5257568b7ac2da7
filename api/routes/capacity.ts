import { repositoryId } from '../schemas/common.ts'
import {
  capacityDetailSchema,
  capacityListQuery,
  capacityPageSchema,
  whatIfBody,
  whatIfSchema,
} from '../schemas/capacity.ts'
import { body, createRoute, json, problems, security, z } from './common.ts'

const tags = ['capacity']
const param = z.object({ id: repositoryId.openapi({ param: { name: 'id', in: 'path' } }) })

export const list = createRoute({
  method: 'get',
  path: '/capacity',
  tags,
  operationId: 'listCapacity',
  summary: 'When each repository is full, by its measured growth',
  security,
  request: { query: capacityListQuery },
  responses: { 200: json(capacityPageSchema, 'By name'), ...problems(400, 401) },
})

export const get = createRoute({
  method: 'get',
  path: '/capacity/{id}',
  tags,
  operationId: 'getCapacity',
  summary: 'One repository: its year, and what comes',
  security,
  request: { params: param },
  responses: { 200: json(capacityDetailSchema, 'With one sample a day'), ...problems(401, 404) },
})

export const whatIf = createRoute({
  method: 'post',
  path: '/capacity/{id}/what-if',
  tags,
  operationId: 'simulateCapacity',
  summary: 'What more VMs would need there over a year; nothing is changed',
  security,
  request: { params: param, ...body(whatIfBody) },
  responses: { 200: json(whatIfSchema, 'Month by month'), ...problems(400, 401, 403, 404) },
})
