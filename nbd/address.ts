import { HoldfastError } from '../base/index.ts'

export type NbdAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

/** sockaddr_un.sun_path, without the closing NUL. */
const MAX_UNIX_PATH = 107

export function describeAddress(address: NbdAddress): string {
  return address.kind === 'unix' ? address.path : `${address.host}:${address.port}`
}

/** What `node:net` takes to connect or listen. The kernel calls a long path EINVAL, which helps nobody. */
export function socketTarget(address: NbdAddress): { path: string } | { host: string; port: number } {
  if (address.kind === 'tcp') return { host: address.host, port: address.port }
  if (Buffer.byteLength(address.path) > MAX_UNIX_PATH) {
    throw new HoldfastError('InvalidRequest', `the socket path has more than ${MAX_UNIX_PATH} bytes: ${address.path}`, {
      hint: 'Put the socket into a directory with a shorter path.',
    })
  }
  return { path: address.path }
}
