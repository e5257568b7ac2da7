import { pageQuery, repositoryId } from '../schemas/common.ts'
import {
  addRepositoryBody,
  describeRepositoryBody,
  repositoryDetailSchema,
  repositoryPageSchema,
  repositorySchema,
  repositoryTestSchema,
} from '../schemas/repositories.ts'
import { body, createRoute, json, problems, security, z } from './common.ts'

const params = z.object({ id: repositoryId.openapi({ param: { name: 'id', in: 'path' } }) })
const tags = ['repositories']

export const list = createRoute({
  method: 'get',
  path: '/repositories',
  tags,
  operationId: 'listRepositories',
  summary: 'All repositories',
  security,
  request: { query: pageQuery },
  responses: { 200: json(repositoryPageSchema, 'By name'), ...problems(400, 401) },
})

export const add = createRoute({
  method: 'post',
  path: '/repositories',
  tags,
  operationId: 'addRepository',
  summary: 'Register a repository',
  security,
  description: 'The repository itself is made with `holdfast repo init` on a host that reaches it; test it next.',
  request: body(addRepositoryBody),
  responses: { 201: json(repositorySchema, 'Registered'), ...problems(400, 401, 403, 409) },
})

export const get = createRoute({
  method: 'get',
  path: '/repositories/{id}',
  tags,
  operationId: 'getRepository',
  summary: 'One repository',
  security,
  request: { params },
  responses: { 200: json(repositoryDetailSchema, 'With consumption and growth'), ...problems(401, 404) },
})

export const describe = createRoute({
  method: 'patch',
  path: '/repositories/{id}',
  tags,
  operationId: 'describeRepository',
  security,
  summary: 'On what a repository lies and where that stands',
  description: 'Of copies off site and on different media counts what is said here. What is left out stays.',
  request: { params, ...body(describeRepositoryBody) },
  responses: { 200: json(repositorySchema, 'As it is now'), ...problems(400, 401, 403, 404) },
})

export const test = createRoute({
  method: 'post',
  path: '/repositories/{id}/test',
  tags,
  operationId: 'testRepository',
  security,
  summary: 'Write, read back, list, delete and measure from a worker of its site',
  request: { params },
  responses: {
    200: json(repositoryTestSchema, 'What the worker saw, good or bad'),
    ...problems(401, 403, 404, 503, 504),
  },
})
