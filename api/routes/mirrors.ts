import { mirrorBody, mirrorsSchema, shipmentBody, shipmentParams, shipmentSchema } from '../schemas/mirrors.ts'
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

export const ship = createRoute({
  method: 'put',
  path: '/mirrors/{source}/{target}/shipment',
  tags,
  operationId: 'putShipment',
  summary: 'Copies are on their way on media: until when they are expected',
  description:
    'Until then nothing is copied between the two by itself, and how far the one is behind the other is no alert. What is on its way is not counted as copied.',
  security,
  request: { params: shipmentParams, ...body(shipmentBody) },
  responses: { 200: json(shipmentSchema, 'As it is now'), ...problems(400, 401, 403, 404, 422) },
})

export const arrive = createRoute({
  method: 'delete',
  path: '/mirrors/{source}/{target}/shipment',
  tags,
  operationId: 'endShipment',
  summary: 'The media have arrived, or will not: copies are made by themselves again',
  security,
  request: { params: shipmentParams },
  responses: { 204: { description: 'Ended' }, ...problems(401, 403, 404) },
})
