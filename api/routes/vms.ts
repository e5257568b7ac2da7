import { pageQuery, vmId } from '../schemas/common.ts'
import { acceptedSchema, runPageSchema } from '../schemas/runs.ts'
import { backupBody } from '../schemas/actions.ts'
import { pointPageSchema } from '../schemas/points.ts'
import {
  vmDetailSchema,
  vmListQuery,
  vmPageSchema,
  vmPatchBody,
  vmPreviewBody,
  vmPreviewSchema,
} from '../schemas/vms.ts'
import { body, createRoute, idempotencyHeader, json, problems, security, z } from './common.ts'

const params = z.object({ id: vmId.openapi({ param: { name: 'id', in: 'path' } }) })
const tags = ['vms']

export const list = createRoute({
  method: 'get',
  path: '/vms',
  tags,
  operationId: 'listVms',
  summary: 'VMs, those outside their RPO first',
  security,
  request: { query: vmListQuery },
  responses: { 200: json(vmPageSchema, 'Most urgent first, then by name'), ...problems(400, 401) },
})

export const preview = createRoute({
  method: 'post',
  path: '/vms/{id}/preview',
  tags,
  operationId: 'previewVm',
  summary: 'What follows for the points of a VM from what would be set for it alone, before it is',
  description: 'Changes nothing. Problems of its content are part of the answer.',
  security,
  request: { params, ...body(vmPreviewBody) },
  responses: { 200: json(vmPreviewSchema, 'What the next sweep would let go'), ...problems(400, 401, 404) },
})

export const get = createRoute({
  method: 'get',
  path: '/vms/{id}',
  tags,
  operationId: 'getVm',
  summary: 'One VM',
  security,
  request: { params },
  responses: { 200: json(vmDetailSchema, 'With posture, disks and effective policy'), ...problems(401, 404) },
})

export const patch = createRoute({
  method: 'patch',
  path: '/vms/{id}',
  tags,
  operationId: 'changeVm',
  summary: 'Category, exclusion, drill checks, and what holds for it alone',
  security,
  request: { params, ...body(vmPatchBody) },
  responses: { 200: json(vmDetailSchema, 'As it is now'), ...problems(400, 401, 403, 404, 422) },
})

export const points = createRoute({
  method: 'get',
  path: '/vms/{id}/points',
  tags,
  operationId: 'listVmPoints',
  summary: 'Its recovery points',
  security,
  request: { params, query: pageQuery },
  responses: { 200: json(pointPageSchema, 'Newest first'), ...problems(400, 401, 404) },
})

export const runs = createRoute({
  method: 'get',
  path: '/vms/{id}/runs',
  tags,
  operationId: 'listVmRuns',
  summary: 'Its runs',
  security,
  request: { params, query: pageQuery },
  responses: { 200: json(runPageSchema, 'Newest first'), ...problems(400, 401, 404) },
})

export const backup = createRoute({
  method: 'post',
  path: '/vms/{id}/backups',
  tags: ['backups'],
  operationId: 'startBackup',
  summary: 'Back up a VM',
  security,
  description: 'One backup of a VM at a time: a second one is refused with the run that is under way.',
  request: { params, headers: idempotencyHeader, ...body(backupBody) },
  responses: { 202: json(acceptedSchema, 'Started'), ...problems(400, 401, 403, 404, 409, 422, 503) },
})
