import { overviewSchema } from '../schemas/overview.ts'
import {
  doctorSchema,
  healthSchema,
  sessionBody,
  sessionSchema,
  streamEventSchema,
  workersSchema,
} from '../schemas/system.ts'
import { sha256 } from '../schemas/common.ts'
import { body, createRoute, json, problems, security, z } from './common.ts'

export const health = createRoute({
  method: 'get',
  path: '/health',
  tags: ['system'],
  operationId: 'getHealth',
  summary: 'Is the server there',
  security: [],
  responses: { 200: json(healthSchema, 'It answers; `degraded` while Temporal does not') },
})

export const login = createRoute({
  method: 'post',
  path: '/session',
  tags: ['session'],
  operationId: 'createSession',
  summary: 'Exchange the token for a cookie',
  security: [],
  request: body(sessionBody),
  responses: {
    200: json(sessionSchema, 'Logged in; the cookie is HttpOnly and SameSite=Strict'),
    ...problems(400, 401, 403, 413, 429),
  },
})

export const whoAmI = createRoute({
  method: 'get',
  path: '/session',
  tags: ['session'],
  operationId: 'getSession',
  summary: 'Who am I',
  security,
  responses: { 200: json(sessionSchema, 'This session'), ...problems(401) },
})

export const logout = createRoute({
  method: 'delete',
  path: '/session',
  tags: ['session'],
  operationId: 'deleteSession',
  summary: 'Log out',
  security,
  responses: { 204: { description: 'The session has ended' }, ...problems(401, 403) },
})

export const overview = createRoute({
  method: 'get',
  path: '/overview',
  tags: ['overview'],
  operationId: 'getOverview',
  summary: 'The sentence, what needs you, what runs',
  security,
  responses: { 200: json(overviewSchema, 'As of now'), ...problems(401) },
})

export const workers = createRoute({
  method: 'get',
  path: '/workers',
  tags: ['system'],
  operationId: 'listWorkers',
  summary: 'Who polls which queue',
  security,
  responses: { 200: json(workersSchema, 'Every queue that the configuration needs'), ...problems(401, 503) },
})

export const doctor = createRoute({
  method: 'get',
  path: '/doctor',
  tags: ['system'],
  operationId: 'runDoctor',
  summary: 'Check the installation',
  security,
  responses: { 200: json(doctorSchema, 'All checks, also those that failed'), ...problems(401) },
})

export const events = createRoute({
  method: 'get',
  path: '/events',
  tags: ['events'],
  operationId: 'streamEvents',
  security,
  summary: 'Server-sent events',
  description:
    'Each event has the sequence number as `id` and the type as `event`. With `Last-Event-ID` the stream replays what was missed; if that is no longer kept, `resync` comes first. `ping` every 15 s. At most two events a second per run.',
  request: {
    headers: z.object({
      'last-event-id': z
        .string()
        .regex(/^\d{1,15}$/)
        .optional(),
    }),
  },
  responses: {
    200: { description: 'The stream', content: { 'text/event-stream': { schema: streamEventSchema } } },
    ...problems(401),
  },
})

const evidenceParam = z.object({ sha256: sha256.openapi({ param: { name: 'sha256', in: 'path' } }) })
const binary = { schema: z.string().openapi({ type: 'string', format: 'binary' }) }

export const putEvidence = createRoute({
  method: 'put',
  path: '/evidence/{sha256}',
  tags: ['evidence'],
  operationId: 'putEvidence',
  security,
  summary: 'Keep a piece of evidence (workers)',
  description:
    'The body must hash to the address. 16 MiB at most. PNG, plain text or JSON. Repeating it changes nothing.',
  request: { params: evidenceParam },
  responses: {
    201: { description: 'Kept' },
    200: { description: 'Was there already' },
    ...problems(400, 401, 403, 413, 422),
  },
})

export const getEvidence = createRoute({
  method: 'get',
  path: '/evidence/{sha256}',
  tags: ['evidence'],
  operationId: 'getEvidence',
  security,
  summary: 'A piece of evidence',
  request: { params: evidenceParam },
  responses: {
    200: {
      description: 'The bytes',
      content: { 'image/png': binary, 'text/plain': binary, 'application/json': binary },
    },
    ...problems(400, 401, 404),
  },
})
