import {
  channelBody,
  channelListSchema,
  channelName,
  channelSchema,
  deliveryListQuery,
  deliveryPageSchema,
  incidentListQuery,
  incidentPageSchema,
} from '../schemas/alerts.ts'
import { body, createRoute, json, problems, security, z } from './common.ts'

const tags = ['alerts']
const params = z.object({ name: channelName.openapi({ param: { name: 'name', in: 'path' } }) })

export const listIncidents = createRoute({
  method: 'get',
  path: '/incidents',
  tags,
  operationId: 'listIncidents',
  summary: 'What wants attention, and what did',
  security,
  request: { query: incidentListQuery },
  responses: { 200: json(incidentPageSchema, 'Open ones first, then the newest'), ...problems(400, 401) },
})

export const listChannels = createRoute({
  method: 'get',
  path: '/channels',
  tags,
  operationId: 'listChannels',
  summary: 'Who is told, how and of what',
  security,
  responses: { 200: json(channelListSchema, 'By name'), ...problems(401) },
})

export const putChannel = createRoute({
  method: 'put',
  path: '/channels/{name}',
  tags,
  operationId: 'putChannel',
  summary: 'Make a channel, or change it as a whole',
  description: 'What is open and was not told on this channel is told on it within a minute.',
  security,
  request: { params, ...body(channelBody) },
  responses: { 200: json(channelSchema, 'As it is now'), ...problems(400, 401, 403, 422) },
})

export const removeChannel = createRoute({
  method: 'delete',
  path: '/channels/{name}',
  tags,
  operationId: 'removeChannel',
  summary: 'Remove a channel',
  description: 'What waits to be sent by it is dropped; the log stays.',
  security,
  request: { params },
  responses: { 204: { description: 'Removed' }, ...problems(401, 403, 404) },
})

export const testChannel = createRoute({
  method: 'post',
  path: '/channels/{name}/test',
  tags,
  operationId: 'testChannel',
  summary: 'Send a test message, or ping, now',
  security,
  request: { params },
  responses: { 204: { description: 'The service has taken it' }, ...problems(401, 403, 404, 422, 502, 503) },
})

export const listDeliveries = createRoute({
  method: 'get',
  path: '/deliveries',
  tags,
  operationId: 'listDeliveries',
  summary: 'Messages, and what became of each',
  security,
  request: { query: deliveryListQuery },
  responses: { 200: json(deliveryPageSchema, 'Newest first'), ...problems(400, 401) },
})
