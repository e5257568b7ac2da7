import { BLOB_CHUNK, BLOB_CONFIG, canonicalJson, pageIdentity, type BlobType, type Page } from '../format/index.ts'
import { chunkIdKey, configIdKey, hmac, pageIdKey, seriesKey } from './derive.ts'

/** Keyed ids of one domain (§5.2, §6.5). */
export interface Identity {
  /** `innerHash`: SHA-256 of the plain content. */
  chunkId(innerHash: Uint8Array): Buffer
  configId(innerHash: Uint8Array): Buffer
  /** Hints do not enter. */
  pageId(page: Page): Buffer
  /** Id of a blob's content by its type; undefined for a page, whose id is not that of its bytes. */
  contentId(type: BlobType, innerHash: Uint8Array): Buffer | undefined
  /** §3.2: 32 hex digits. Members go in byte for byte as in the manifest's `vm`. */
  series(vm: { readonly platform: string; readonly scope: string; readonly vm: string }): string
}

export function identityOf(idk: Uint8Array): Identity {
  const chunkKey = chunkIdKey(idk)
  const pageKey = pageIdKey(idk)
  const configKey = configIdKey(idk)
  const seriesOf = seriesKey(idk)
  const chunkId = (innerHash: Uint8Array) => hmac(chunkKey, innerHash)
  const configId = (innerHash: Uint8Array) => hmac(configKey, innerHash)
  return {
    chunkId,
    configId,
    pageId: (page) => hmac(pageKey, pageIdentity(page)),
    contentId: (type, hash) =>
      type === BLOB_CHUNK ? chunkId(hash) : type === BLOB_CONFIG ? configId(hash) : undefined,
    series: ({ platform, scope, vm }) => hmac(seriesOf, canonicalJson({ platform, scope, vm })).toString('hex', 0, 16),
  }
}
