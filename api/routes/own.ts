import { hypervisorId, repositoryId } from '../schemas/common.ts'
import { hypervisorSchema } from '../schemas/hypervisors.ts'
import {
  keepingBody,
  keepingListSchema,
  keepingSchema,
  moveHypervisorBody,
  ownBackupSchema,
  ownBackupsSchema,
} from '../schemas/own.ts'
import { body, createRoute, json, problems, security, z } from './common.ts'

const tags = ['own recovery']

export const listOwnBackups = createRoute({
  method: 'get',
  path: '/own-backups',
  tags,
  operationId: 'listOwnBackups',
  summary: 'What each repository holds of the catalog itself',
  security,
  responses: { 200: json(ownBackupsSchema, 'Every repository, by name'), ...problems(401) },
})

export const backUpNow = createRoute({
  method: 'post',
  path: '/repositories/{id}/own-backup',
  tags,
  operationId: 'backUpCatalog',
  summary: 'Write the catalog into the repository now',
  security,
  request: { params: z.object({ id: repositoryId.openapi({ param: { name: 'id', in: 'path' } }) }) },
  responses: {
    200: json(ownBackupSchema, 'Stored and read back'),
    ...problems(401, 403, 404, 422, 502, 503, 504),
  },
})

export const listKeeping = createRoute({
  method: 'get',
  path: '/keeping',
  tags,
  operationId: 'listKeeping',
  summary: 'How long records of each kind are kept',
  security,
  responses: { 200: json(keepingListSchema, 'The data-availability table'), ...problems(401) },
})

export const setKeeping = createRoute({
  method: 'put',
  path: '/keeping/{kind}',
  tags,
  operationId: 'setKeeping',
  summary: 'Keep records of a kind for so many months',
  description: 'What is older goes at the next daily look.',
  security,
  request: {
    params: z.object({ kind: keepingSchema.shape.kind.openapi({ param: { name: 'kind', in: 'path' } }) }),
    ...body(keepingBody),
  },
  responses: { 200: json(keepingSchema, 'As it is now'), ...problems(400, 401, 403) },
})

export const moveHypervisor = createRoute({
  method: 'patch',
  path: '/hypervisors/{id}',
  tags: ['hypervisors'],
  operationId: 'moveHypervisor',
  summary: 'Say where a hypervisor is now, or how it is reached',
  description: 'Its VMs stay its VMs, with their points. Test it next.',
  security,
  request: {
    params: z.object({ id: hypervisorId.openapi({ param: { name: 'id', in: 'path' } }) }),
    ...body(moveHypervisorBody),
  },
  responses: { 200: json(hypervisorSchema, 'As it is now'), ...problems(400, 401, 403, 404) },
})

export const catalogCopy = createRoute({
  method: 'get',
  path: '/catalog-copies/{snap}',
  tags,
  operationId: 'getCatalogCopy',
  summary: 'A copy of the catalog on its way into a repository (workers)',
  security,
  request: {
    params: z.object({
      snap: z
        .string()
        .regex(/^[0-9a-f]{32}$/)
        .openapi({ param: { name: 'snap', in: 'path' } }),
    }),
  },
  responses: {
    200: {
      description: 'A SQLite file without tokens, sessions and secrets',
      content: { 'application/octet-stream': { schema: z.string().openapi({ type: 'string', format: 'binary' }) } },
    },
    ...problems(400, 401, 404),
  },
})
