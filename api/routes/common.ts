import { createRoute, z, type RouteConfig } from '@hono/zod-openapi'
import { problemSchema } from '../schemas/common.ts'

/** Everything but health and the login needs one of the two (rulings 19). */
export const security: { [name: string]: string[] }[] = [{ bearer: [] }, { session: [] }]

const problemTexts = {
  400: 'The request is not understood',
  401: 'No valid token or session',
  403: 'Not allowed for this token, or asked by a foreign page',
  404: 'There is no such thing',
  409: 'In conflict with what is running or exists',
  413: 'Too large',
  422: 'Understood, but it cannot be done as asked',
  429: 'Too many wrong tokens; `Retry-After` says how long to wait',
  502: 'The hypervisor or repository refused or did not answer as expected',
  503: 'Temporal or the workers of the site are not there',
  504: 'No answer in time',
} as const
type ProblemStatus = keyof typeof problemTexts

const problemContent = { 'application/problem+json': { schema: problemSchema } }

/** Problem responses by status, for the documentation and the generated clients. */
export function problems(...statuses: ProblemStatus[]): RouteConfig['responses'] {
  return Object.fromEntries(
    statuses.map((status) => [status, { description: problemTexts[status], content: problemContent }]),
  )
}

/** A JSON response. */
export function json<T extends z.ZodType>(
  schema: T,
  description: string,
): { description: string; content: { 'application/json': { schema: T } } } {
  return { description, content: { 'application/json': { schema } } }
}

/** A required JSON body. */
export function body<T extends z.ZodType>(
  schema: T,
): { body: { required: true; content: { 'application/json': { schema: T } } } } {
  return { body: { required: true, content: { 'application/json': { schema } } } }
}

/** Same key and same body: the answer of the first request is given again. */
export const idempotencyHeader = z.object({
  'idempotency-key': z
    .string()
    .min(8)
    .max(128)
    .regex(/^[\x21-\x7e]+$/)
    .optional()
    .openapi({ description: 'Chosen by the caller; kept for 24 h. A repetition starts nothing twice.' }),
})

export { createRoute, z }
