import {
  archiveQuery,
  contentQuery,
  endFilesBody,
  entryPageSchema,
  entrySchema,
  filesBody,
  imageQuery,
  listQuery,
  placeQuery,
  restoreFilesBody,
  searchQuery,
  searchSchema,
  sessionId,
  volumesSchema,
} from '../schemas/files.ts'
import { acceptedSchema } from '../schemas/runs.ts'
import { body, createRoute, idempotencyHeader, json, problems, security, z } from './common.ts'

const tags = ['files']
const params = z.object({ session: sessionId.openapi({ param: { name: 'session', in: 'path' } }) })
const usual = problems(400, 401, 404, 409, 422, 502, 503, 504)

export const start = createRoute({
  method: 'post',
  path: '/files',
  tags,
  operationId: 'openFiles',
  summary: 'Open the files of a point',
  description:
    'A micro-VM without a network reads the point; its file systems are parsed nowhere else. The run `files/<session>` lasts until nobody has asked for a while, or somebody ends it.',
  security,
  request: { headers: idempotencyHeader, ...body(filesBody) },
  responses: { 202: json(acceptedSchema, 'Started'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})

export const volumes = createRoute({
  method: 'get',
  path: '/files/{session}/volumes',
  tags,
  operationId: 'listFileVolumes',
  summary: 'What lies on the disks',
  description: '503 with NoWorker as long as the point is not open: ask again.',
  security,
  request: { params },
  responses: { 200: json(volumesSchema, 'Partitions, logical volumes and arrays'), ...usual },
})

export const list = createRoute({
  method: 'get',
  path: '/files/{session}/entries',
  tags,
  operationId: 'listFiles',
  summary: 'A folder, page by page',
  security,
  request: { params, query: listQuery },
  responses: { 200: json(entryPageSchema, 'Folders first, then by name'), ...usual },
})

export const stat = createRoute({
  method: 'get',
  path: '/files/{session}/entry',
  tags,
  operationId: 'getFile',
  summary: 'One file or folder',
  security,
  request: { params, query: placeQuery },
  responses: { 200: json(entrySchema, 'A link is told as itself'), ...usual },
})

export const search = createRoute({
  method: 'get',
  path: '/files/{session}/search',
  tags,
  operationId: 'searchFiles',
  summary: 'Names below a folder',
  description: 'Ends after 20 s, 200,000 names or 1,000 results, and says so.',
  security,
  request: { params, query: searchQuery },
  responses: { 200: json(searchSchema, 'What was found'), ...usual },
})

const bytes = z.string().openapi({ type: 'string', format: 'binary' })

export const content = createRoute({
  method: 'get',
  path: '/files/{session}/content',
  tags,
  operationId: 'downloadFile',
  summary: 'The content of a plain file',
  security,
  request: { params, query: contentQuery },
  responses: {
    200: {
      description: 'Its bytes; a failure in the middle cuts the answer off before its length',
      content: { 'application/octet-stream': { schema: bytes } },
    },
    ...usual,
  },
})

export const archive = createRoute({
  method: 'get',
  path: '/files/{session}/archive',
  tags,
  operationId: 'downloadFiles',
  summary: 'Files and folders of one volume as a tar or zip stream',
  description:
    'With modes, times and links; a tar with owners as well. What cannot be read is named in a last member, HOLDFAST-UNREADABLE.txt; a stream that is cut off has no end mark.',
  security,
  request: { params, query: archiveQuery },
  responses: {
    200: {
      description: 'The archive',
      content: { 'application/x-tar': { schema: bytes }, 'application/zip': { schema: bytes } },
    },
    ...usual,
  },
})

export const image = createRoute({
  method: 'get',
  path: '/files/{session}/image',
  tags,
  operationId: 'downloadDisk',
  summary: 'A whole disk as an image',
  description:
    'Made while it is read, without a copy anywhere; the same disk always gives the same bytes. Every chunk is checked. What is cut off is no image: its length is short of content-length, and a vmdk has no footer.',
  security,
  request: { params, query: imageQuery },
  responses: {
    200: {
      description: 'The image',
      content: { 'application/octet-stream': { schema: bytes } },
    },
    ...usual,
  },
})

export const toGuest = createRoute({
  method: 'post',
  path: '/files/{session}/restore',
  tags,
  operationId: 'restoreFiles',
  summary: 'Files back into the guest that runs',
  description:
    'Through the agent of the guest, with owner, mode and time, compared by hash in the guest. They grow under names of the run and get their own when they are whole; nothing that is there is replaced unless that is asked for. 503 with NoWorker as long as the point is not open.',
  security,
  request: { params, headers: idempotencyHeader, ...body(restoreFilesBody) },
  responses: { 202: json(acceptedSchema, 'Started'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})

export const end = createRoute({
  method: 'post',
  path: '/files/{session}/end',
  tags,
  operationId: 'endFiles',
  summary: 'Close the point',
  security,
  request: { params, ...body(endFilesBody) },
  responses: { 202: json(acceptedSchema, 'It is closed'), ...problems(400, 401, 403, 404, 409, 503) },
})
