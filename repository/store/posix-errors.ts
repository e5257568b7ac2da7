import { HoldfastError, isHoldfastError, type ErrorCode } from '../../base/index.ts'
import { objectAbsent } from './store.ts'

const codesOf: { readonly [errno: string]: ErrorCode } = {
  ENOSPC: 'StoreFull',
  EDQUOT: 'StoreFull',
  EFBIG: 'StoreFull',
  EACCES: 'StoreDenied',
  EPERM: 'StoreDenied',
  EROFS: 'StoreDenied',
}

const advice: { readonly [errno: string]: string } = {
  EROFS: 'The file system is mounted read-only; mount it writable.',
  EDQUOT: 'The disk quota is used up; enlarge it, then retry: the run resumes where it stopped.',
}

export function errnoOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : ''
}

/** An errno as the store's own error, naming the path. What is not known to be permanent counts as *unreadable now*. */
export function posixError(error: unknown, action: string, path: string): HoldfastError {
  if (isHoldfastError(error)) return error
  const errno = errnoOf(error)
  const code = codesOf[errno] ?? 'StoreUnavailable'
  const hint =
    advice[errno] ?? (code === 'StoreDenied' ? `Give this user read and write permission on ${path}.` : undefined)
  return new HoldfastError(code, `cannot ${action} ${path}: ${errno || String(error)}`, {
    cause: error,
    native: { code: errno, text: error instanceof Error ? error.message : String(error) },
    data: { path },
    ...(hint !== undefined && { hint }),
  })
}

/** As posixError; ENOENT of an object becomes *proved absent*. The caller has checked that the root is still there. */
export function readError(error: unknown, name: string, path: string): HoldfastError {
  const errno = errnoOf(error)
  return errno === 'ENOENT' || errno === 'ENOTDIR' ? objectAbsent(name, error) : posixError(error, 'read', path)
}
