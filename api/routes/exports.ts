import { exportKinds, type ExportKind } from '../exports/index.ts'
import { createRoute, problems, security, z } from './common.ts'

const kinds = Object.keys(exportKinds) as [ExportKind, ...ExportKind[]]

export const get = createRoute({
  method: 'get',
  path: '/exports/{kind}',
  tags: ['exports'],
  operationId: 'exportList',
  summary: 'A whole list as a file',
  security,
  request: {
    params: z.object({
      kind: z.enum(kinds).openapi({
        param: { name: 'kind', in: 'path' },
        description:
          'protection: every VM against its promise; usage: what each VM takes in each repository; retention: where what repositories keep was not what the policies say, audit by audit; capacity: what each repository took, day by day; audit: who took what out of points, a row for each path',
      }),
    }),
    query: z.object({
      format: z.enum(['csv', 'json']).default('csv'),
      sinceMs: z.coerce.number().int().nonnegative().optional(),
      untilMs: z.coerce.number().int().nonnegative().optional(),
    }),
  },
  responses: {
    200: {
      description: 'Times in ISO 8601 and UTC, sizes in bytes',
      content: {
        'text/csv': { schema: z.string() },
        'application/json': { schema: z.object({ items: z.array(z.record(z.string(), z.unknown())) }) },
      },
    },
    ...problems(400, 401),
  },
})
