/** The one way to the server: a client typed by `api/openapi.json`, and errors that say what to do. */
export { api, ask, idempotencyKey, whenSignedOut } from './client.ts'
export { ApiError } from './problem.ts'
export type * from './types.ts'
