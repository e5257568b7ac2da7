import { BLOB_CHUNK, BLOB_CONFIG, canonicalJson, pageIdentity, type BlobType, type Page } from '../format/index.ts'
import { chunkIdKey, configIdKey, hmac, pageIdKey, seriesKey } from './derive.ts'

/** Keyed ids of one domain (§5.2, §6.5). */
export interface Identity {
  /** `innerHash`: SHA-256 of the plain content. */
  chunkId(innerHash: Uint8Array): Buffer
  configId(innerHash: Uint8Array): Buffer
  /** Hints do not enter. */
  pageId(page: Page): Buffer
  /** HMAC key of chunk or config ids, for the worker threads; undefined for a page, whose id is not that of its bytes. */
  idKey(type: BlobType): Buffer | undefined
  /** §3.2: 32 hex digits. Members go in byte for byte as in the manifest's `vm`. */
  series(vm: { readonly platform: string; readonly scope: string; readonly vm: string }): string
}

export function identityOf(idk: Uint8Array): Identity {
  const chunkKey = chunkIdKey(idk)
  const pageKey = pageIdKey(idk)
  const configKey = configIdKey(idk)
  const seriesOf = seriesKey(idk)
  return {
    chunkId: (innerHash) => hmac(chunkKey, innerHash),
    configId: (innerHash) => hmac(configKey, innerHash),
    pageId: (page) => hmac(pageKey, pageIdentity(page)),
    idKey: (type) => (type === BLOB_CHUNK ? chunkKey : type === BLOB_CONFIG ? configKey : undefined),
    series: ({ platform, scope, vm }) => hmac(seriesOf, canonicalJson({ platform, scope, vm })).toString('hex', 0, 16),
  }
}
