import { repositoryId } from '../schemas/common.ts'
import { scrubSchema, setScrubBody } from '../schemas/scrubs.ts'
import { body, createRoute, json, problems, security, z } from './common.ts'

const tags = ['verify']
const params = z.object({ id: repositoryId.openapi({ param: { name: 'id', in: 'path' } }) })
const octets = { 'application/octet-stream': { schema: z.string().openapi({ type: 'string', format: 'binary' }) } }

export const set = createRoute({
  method: 'put',
  path: '/repositories/{id}/scrub',
  tags,
  operationId: 'setScrub',
  summary: 'How much of a repository is read every day by itself',
  description:
    'Once a day a verify reads so many bytes, those first whose last pass is oldest, and quarantines what is proved damaged.',
  security,
  request: { params, ...body(setScrubBody) },
  responses: { 200: json(scrubSchema, 'As it is now'), ...problems(400, 401, 403, 404) },
})

export const passes = createRoute({
  method: 'get',
  path: '/verify-ledgers/{id}',
  tags,
  operationId: 'getVerifyLedger',
  summary: 'When each pack was last read as a whole (workers)',
  security,
  request: { params },
  responses: {
    200: { description: '40 bytes each, sorted: name, L3 and L4 as u32 in Unix seconds', content: octets },
    ...problems(401, 404),
  },
})

export const told = createRoute({
  method: 'post',
  path: '/verify-ledgers/{id}',
  tags,
  operationId: 'addToVerifyLedger',
  summary: 'Packs that were read as a whole (workers)',
  security,
  request: { params, body: { required: true, content: octets } },
  responses: { 204: { description: 'Kept' }, ...problems(400, 401, 404, 413) },
})
