import type { ErrorCode } from '../base/index.ts'

/** What a script can rely on. Unknown means failed. */
export const exit = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** Some of several things failed, or a run left something behind. */
  partial: 3,
  notFound: 4,
  conflict: 5,
  auth: 6,
  unreachable: 7,
  /** Temporal or the workers of a site are not there. */
  engine: 8,
  /** `plan -f`: what exists is not what the file says. */
  differs: 10,
  interrupted: 130,
} as const

const byCode: { readonly [code in ErrorCode]?: number } = {
  InvalidRequest: exit.usage,
  NotFound: exit.notFound,
  RepositoryMissing: exit.notFound,
  AlreadyRunning: exit.conflict,
  NameTaken: exit.conflict,
  StaleRevision: exit.conflict,
  InUse: exit.conflict,
  QuotaFull: exit.conflict,
  PolicyInvalid: exit.usage,
  RunEnded: exit.conflict,
  RepositoryExists: exit.conflict,
  Unauthorized: exit.auth,
  Forbidden: exit.auth,
  WrongSecret: exit.auth,
  SecretMissing: exit.auth,
  KeysSuperseded: exit.auth,
  KeysConflict: exit.conflict,
  ServerUnreachable: exit.unreachable,
  TemporalUnavailable: exit.engine,
  NoWorker: exit.engine,
}

export function exitOf(code: ErrorCode): number {
  return byCode[code] ?? exit.failed
}
