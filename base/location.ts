/**
 * Where a repository is: what configuration, catalogue and workflow arguments say of it. Never a secret: the URL of an
 * object store names its credentials by reference (`credentials=file:/path` or `env:NAME`).
 */
export type RepositoryLocation =
  | { readonly kind: 'posix'; readonly path: string }
  /** `s3://bucket/prefix?endpoint=…`; docs/repository-format.md §14.2 lists the parameters. */
  | { readonly kind: 's3'; readonly url: string }
  /** `azure://account/container/prefix?…` */
  | { readonly kind: 'azure'; readonly url: string }

/** A location as people write it: the path of a directory, or the URL. */
export function locationText(location: RepositoryLocation): string {
  return location.kind === 'posix' ? location.path : location.url
}
