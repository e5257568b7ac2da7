import { protectionReportSchema } from '../schemas/reports.ts'
import { createRoute, problems, security, z } from './common.ts'

export const protection = createRoute({
  method: 'get',
  path: '/reports/protection',
  tags: ['reports'],
  operationId: 'reportProtection',
  summary: 'The protection report of a day, a week or a month',
  security,
  request: {
    query: z.object({
      period: z.enum(['day', 'week', 'month']).default('week'),
      format: z.enum(['json', 'html']).default('json'),
    }),
  },
  responses: {
    200: {
      description: 'As data, or as a page to print; every VM by itself is in `/exports/protection`',
      content: { 'application/json': { schema: protectionReportSchema }, 'text/html': { schema: z.string() } },
    },
    ...problems(400, 401),
  },
})
