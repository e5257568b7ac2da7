import { changeDetailSchema, changeReviewBody } from '../schemas/changes.ts'
import { pointId } from '../schemas/common.ts'
import { pointDetailSchema, pointListQuery, pointPageSchema } from '../schemas/points.ts'
import { body, createRoute, json, problems, security, z } from './common.ts'

const tags = ['points']

export const list = createRoute({
  method: 'get',
  path: '/points',
  tags,
  operationId: 'listPoints',
  summary: 'Recovery points',
  security,
  request: { query: pointListQuery },
  responses: { 200: json(pointPageSchema, 'Newest first'), ...problems(400, 401) },
})

export const get = createRoute({
  method: 'get',
  path: '/points/{id}',
  tags,
  operationId: 'getPoint',
  summary: 'One recovery point',
  security,
  request: { params: z.object({ id: pointId.openapi({ param: { name: 'id', in: 'path' } }) }) },
  responses: { 200: json(pointDetailSchema, 'With disks, verification and proof'), ...problems(401, 404) },
})

export const reviewChange = createRoute({
  method: 'post',
  path: '/points/{id}/change-review',
  tags,
  operationId: 'reviewChange',
  summary: 'Say what a flagged change was',
  security,
  request: {
    params: z.object({ id: pointId.openapi({ param: { name: 'id', in: 'path' } }) }),
    ...body(changeReviewBody),
  },
  responses: { 200: json(changeDetailSchema, 'As it stands now'), ...problems(400, 401, 403, 404) },
})
