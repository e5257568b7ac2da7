/**
 * Files of recovery points. A micro-VM without a network opens the file systems of a point read-only; nothing of them is
 * ever parsed on the host. It is asked through OpenSSH's SFTP server, what it answers is checked, and what is broken in it
 * breaks it alone. A session is served at a socket of the machine, for whoever answers people.
 */
export { filesGuest } from './guest/recipe.ts'
export { FileSession } from './session.ts'
export type { SessionOptions } from './session.ts'
export { dropState, saveState, savedState } from './state.ts'
export { SessionServer } from './serve.ts'
export type { Served } from './serve.ts'
export { SessionClient } from './client.ts'
export { plainText } from './names.ts'
export { sessionSocket } from './protocol.ts'
export type * from './types.ts'
