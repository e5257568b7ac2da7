import { drillBody } from '../schemas/actions.ts'
import {
  agendaQuery,
  agendaSchema,
  drillDetailSchema,
  drillDocumentQuery,
  drillListQuery,
  drillPageSchema,
  drillVerificationSchema,
  evidenceKeysSchema,
} from '../schemas/drills.ts'
import { acceptedSchema } from '../schemas/runs.ts'
import { body, createRoute, idempotencyHeader, json, problems, security, z } from './common.ts'

const tags = ['drills']
const params = z.object({
  id: z
    .string()
    .regex(/^[a-z0-9.-]{1,100}$/)
    .openapi({ param: { name: 'id', in: 'path' }, example: 'web-01.20261121t073352' }),
})

export const start = createRoute({
  method: 'post',
  path: '/drills',
  tags,
  operationId: 'startDrill',
  summary: 'Prove that a point comes back',
  security,
  request: { headers: idempotencyHeader, ...body(drillBody) },
  responses: { 202: json(acceptedSchema, 'Started'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})

export const list = createRoute({
  method: 'get',
  path: '/drills',
  tags,
  operationId: 'listDrills',
  summary: 'Drills that have ended',
  security,
  request: { query: drillListQuery },
  responses: { 200: json(drillPageSchema, 'Newest first'), ...problems(400, 401) },
})

export const agenda = createRoute({
  method: 'get',
  path: '/drills/agenda',
  tags,
  operationId: 'listDrillAgenda',
  summary: 'When each VM is drilled next, and how many are proven',
  security,
  request: { query: agendaQuery },
  responses: { 200: json(agendaSchema, 'Due first first'), ...problems(400, 401) },
})

export const get = createRoute({
  method: 'get',
  path: '/drills/{id}',
  tags,
  operationId: 'getDrill',
  summary: 'One drill with its checks',
  security,
  request: { params },
  responses: { 200: json(drillDetailSchema, 'The evidence'), ...problems(400, 401, 404) },
})

export const screenshot = createRoute({
  method: 'get',
  path: '/drills/{id}/screenshot',
  tags,
  operationId: 'getDrillScreenshot',
  summary: 'The picture of the booted guest',
  security,
  request: { params },
  responses: {
    200: {
      description: 'PNG',
      content: { 'image/png': { schema: z.string().openapi({ type: 'string', format: 'binary' }) } },
    },
    ...problems(400, 401, 404),
  },
})

export const document = createRoute({
  method: 'get',
  path: '/drills/{id}/document',
  tags,
  operationId: 'exportDrill',
  summary: 'The signed evidence as a file',
  security,
  request: { params, query: drillDocumentQuery },
  responses: {
    200: {
      description: 'A file to keep; nobody needs this installation to verify it',
      content: { 'text/html': { schema: z.string() }, 'application/json': { schema: z.unknown() } },
    },
    ...problems(400, 401, 404),
  },
})

export const verification = createRoute({
  method: 'get',
  path: '/drills/{id}/verification',
  tags,
  operationId: 'verifyDrill',
  summary: 'Whether what is kept of a drill is what was signed',
  security,
  request: { params },
  responses: { 200: json(drillVerificationSchema, 'What was found'), ...problems(400, 401, 404) },
})

export const keys = createRoute({
  method: 'get',
  path: '/evidence-keys',
  tags,
  operationId: 'listEvidenceKeys',
  summary: 'The public keys by which evidence is verified',
  security,
  responses: { 200: json(evidenceKeysSchema, 'The one of now first'), ...problems(401) },
})

export const rotateKey = createRoute({
  method: 'post',
  path: '/evidence-keys',
  tags,
  operationId: 'rotateEvidenceKey',
  summary: 'Sign with a new key from now on',
  security,
  responses: { 201: json(evidenceKeysSchema, 'The new one first; earlier ones stay known'), ...problems(401, 403) },
})
