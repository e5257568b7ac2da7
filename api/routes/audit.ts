import { auditPageSchema, auditQuery } from '../schemas/audit.ts'
import { createRoute, json, problems, security } from './common.ts'

export const list = createRoute({
  method: 'get',
  path: '/audit',
  tags: ['audit'],
  operationId: 'listAudit',
  summary: 'Who took what out of points',
  security,
  request: { query: auditQuery },
  responses: { 200: json(auditPageSchema, 'Newest first'), ...problems(400, 401) },
})
