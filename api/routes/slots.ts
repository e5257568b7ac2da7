import { slotKinds } from '../../policy/index.ts'
import { bandwidthBody, bandwidthSchema, linkBody, linksSchema, slotLimitBody, slotsSchema } from '../schemas/slots.ts'
import { body, createRoute, json, problems, security, z } from './common.ts'

const tags = ['slots']

export const list = createRoute({
  method: 'get',
  path: '/slots',
  tags,
  operationId: 'listSlots',
  summary: 'Who works and who waits, per host, repository and link',
  security,
  responses: { 200: json(slotsSchema, 'Every resource that is in use or has a limit of its own'), ...problems(401) },
})

export const limit = createRoute({
  method: 'put',
  path: '/slots/{kind}/{id}',
  tags,
  operationId: 'setSlots',
  summary: 'How many may work at a time',
  security,
  request: {
    params: z.object({
      kind: z.enum(slotKinds).openapi({ param: { name: 'kind', in: 'path' } }),
      id: z
        .string()
        .regex(/^[a-z0-9][a-z0-9._-]{0,99}$/)
        .openapi({ param: { name: 'id', in: 'path' }, example: 'lab' }),
    }),
    ...body(slotLimitBody),
  },
  responses: { 200: json(slotsSchema, 'As it is now'), ...problems(400, 401, 403, 422) },
})

export const bandwidth = createRoute({
  method: 'post',
  path: '/bandwidth',
  tags,
  operationId: 'reportBandwidth',
  summary: 'A mover says what it copies and hears how fast it may; every two seconds',
  security,
  request: body(bandwidthBody),
  responses: { 200: json(bandwidthSchema, 'What this process may do of each limit'), ...problems(400, 401, 422) },
})

export const listLinks = createRoute({
  method: 'get',
  path: '/links',
  tags,
  operationId: 'listLinks',
  summary: 'What may be moved a second between hypervisors and repositories, and what is on now',
  security,
  responses: { 200: json(linksSchema, 'Every link that has a limit'), ...problems(401) },
})

export const putLink = createRoute({
  method: 'put',
  path: '/links',
  tags,
  operationId: 'putLink',
  summary: 'Limit what is moved between a hypervisor and a repository, or no longer: without any limit',
  security,
  request: body(linkBody),
  responses: { 200: json(linksSchema, 'As it is now'), ...problems(400, 401, 403, 404, 422) },
})
