import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import {
  AnonymousCredential,
  ContainerClient,
  newPipeline,
  StorageSharedKeyCredential,
  type BlobItem,
  type BlobPrefix,
} from '@azure/storage-blob'
import { bytes, HoldfastError, MiB, millis } from '../../base/index.ts'
import { azureFailure } from './azure-errors.ts'
import { parseAzureSecret, readReference } from './credentials.ts'
import { httpAgents } from './http-agents.ts'
import type { AzurePlace } from './location-url.ts'
import type { Failure } from './requests.ts'
import type { ObjectInfo } from './store.ts'
import type { Action, Wire, WireBody, WireDeleteAnswer, WireHead, WirePage, WirePut, WirePutAnswer } from './wire.ts'

/** Credentials are read again after so long: a key that was replaced takes effect without a restart. */
const CREDENTIALS_MS = 15 * 60_000
/** Listings that can be continued where they stopped, per connection. */
const MARKERS = 64

/** The Azure Blob protocol, a request per call. Names become blobs by the place's prefix. */
export class AzureWire implements Wire {
  readonly #place: AzurePlace
  readonly #page: number
  #container: { readonly client: Promise<ContainerClient>; readonly untilMs: number } | undefined
  /** The service continues a listing by a marker of its own, not by a name: which marker follows which name. */
  readonly #markers = new Map<string, string>()

  /** `page`: objects in one page of a listing. */
  constructor(place: AzurePlace, page: number) {
    this.#place = place
    this.#page = page
  }

  async put(name: string, body: Uint8Array, options: WirePut, signal: AbortSignal): Promise<WirePutAnswer> {
    const { ifAbsent, retainUntil } = options
    const blob = await this.#blob(name)
    const answer = await blob.getBlockBlobClient().upload(body, body.length, {
      abortSignal: signal,
      transactionalContentMD5: await md5(body),
      ...(ifAbsent && { conditions: { ifNoneMatch: '*' } }),
      ...(retainUntil !== undefined && { immutabilityPolicy: this.#policy(retainUntil) }),
    })
    // The service compares the body with the MD5 that it came with before it acknowledges.
    return { isChecked: true, ...(answer.versionId !== undefined && { version: answer.versionId }) }
  }

  async get(name: string, range: readonly [number, number] | undefined, signal: AbortSignal): Promise<WireBody> {
    const blob = await this.#blob(name)
    const answer = await blob.download(range?.[0], range?.[1], { abortSignal: signal, maxRetryRequests: 0 })
    const { readableStreamBody: body, contentLength, contentRange } = answer
    if (body === undefined || contentLength === undefined) throw new Error('the answer has no body')
    const close = () => (body as unknown as { destroy(): void }).destroy()
    const stream = body as AsyncIterable<Uint8Array>
    if (range === undefined) return { size: contentLength, length: contentLength, body: stream, close }
    const [, start, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(contentRange ?? '') ?? []
    if (Number(start) === range[0] && size !== undefined) {
      return { size: Number(size), length: contentLength, body: stream, close }
    }
    close()
    throw new HoldfastError('StoreUnfit', `the store does not answer ranges: it gave ${contentRange ?? 'everything'}`)
  }

  async head(name: string, signal: AbortSignal): Promise<WireHead> {
    const blob = await this.#blob(name)
    const answer = await blob.getProperties({ abortSignal: signal })
    return {
      name,
      size: bytes(answer.contentLength ?? 0),
      modified: millis(answer.lastModified?.getTime() ?? 0),
      ...(answer.versionId !== undefined && { version: answer.versionId }),
      ...(answer.immutabilityPolicyExpiresOn && { retainUntil: millis(answer.immutabilityPolicyExpiresOn.getTime()) }),
      ...(answer.legalHold === true && { isHeld: true }),
    }
  }

  async flat(prefix: string, cursor: string | undefined, signal: AbortSignal): Promise<WirePage> {
    const container = await this.#client()
    let marker = cursor === undefined ? undefined : this.#markers.get(`${prefix}\n${cursor}`)
    for (;;) {
      const options = { prefix: this.#place.prefix + prefix, abortSignal: signal }
      const pages = container
        .listBlobsFlat(options)
        .byPage({ maxPageSize: this.#page, ...(marker && { continuationToken: marker }) })
      const answer = await pages.next()
      if (answer.done === true) return { objects: [], folders: [] }
      const objects = this.#objects(answer.value.segment.blobItems)
      const last = objects.at(-1)?.name
      const more = answer.value.continuationToken || undefined
      // Without a marker for the cursor the listing begins anew, and what lies before it is left out.
      const after = cursor === undefined ? objects : objects.filter(({ name }) => name > cursor)
      if (more === undefined) return { objects: after, folders: [] }
      if (last !== undefined) this.#remember(`${prefix}\n${last}`, more)
      if (last !== undefined && after.length > 0) return { objects: after, folders: [], next: last }
      marker = more
    }
  }

  async level(prefix: string, next: string | undefined, signal: AbortSignal): Promise<WirePage> {
    const container = await this.#client()
    const options = { prefix: this.#place.prefix + prefix, abortSignal: signal }
    const pages = container.listBlobsByHierarchy('/', options)
    const answer = await pages.byPage({ maxPageSize: this.#page, ...(next && { continuationToken: next }) }).next()
    if (answer.done === true) return { objects: [], folders: [] }
    const { blobItems, blobPrefixes = [] } = answer.value.segment
    const folders = blobPrefixes.flatMap(({ name }: BlobPrefix) => this.#own(name) ?? [])
    const more = answer.value.continuationToken || undefined
    return { objects: this.#objects(blobItems), folders, ...(more !== undefined && { next: more }) }
  }

  async delete(name: string, version: string | undefined, signal: AbortSignal): Promise<WireDeleteAnswer> {
    const blob = await this.#blob(name)
    await blob.delete({ abortSignal: signal })
    // With versions the blob that was deleted lives on as its latest version.
    if (version !== undefined) await blob.withVersion(version).delete({ abortSignal: signal })
    return {}
  }

  async date(signal: AbortSignal): Promise<number> {
    const container = await this.#client()
    const pages = container
      .listBlobsFlat({ prefix: this.#place.prefix, abortSignal: signal })
      .byPage({ maxPageSize: 1 })
    const answer = await pages.next()
    const date = answer.done === true ? undefined : answer.value.date
    if (date === undefined) throw new HoldfastError('StoreUnfit', 'the answers of the store carry no date')
    return date.getTime()
  }

  async extendRetention(name: string, until: number, signal: AbortSignal): Promise<void> {
    const blob = await this.#blob(name)
    await blob.setImmutabilityPolicy(this.#policy(until), { abortSignal: signal })
  }

  async setLegalHold(name: string, isHeld: boolean, signal: AbortSignal): Promise<void> {
    const blob = await this.#blob(name)
    await blob.setLegalHold(isHeld, { abortSignal: signal })
  }

  failure(error: unknown, action: Action, name: string): Failure {
    return azureFailure(error, action, name, this.#place)
  }

  #policy(until: number) {
    return { expiriesOn: new Date(Math.ceil(until / 1000) * 1000), policyMode: this.#place.immutability ?? 'Locked' }
  }

  async #blob(name: string) {
    return (await this.#client()).getBlobClient(this.#place.prefix + name)
  }

  async #client(): Promise<ContainerClient> {
    if (this.#container === undefined || Date.now() > this.#container.untilMs) {
      this.#container = { client: open(this.#place), untilMs: Date.now() + CREDENTIALS_MS }
    }
    try {
      return await this.#container.client
    } catch (error) {
      this.#container = undefined
      throw error
    }
  }

  #objects(items: readonly BlobItem[]): ObjectInfo[] {
    return items.flatMap((item): ObjectInfo[] => {
      const name = this.#own(item.name)
      if (name === undefined || name === '') return []
      const { contentLength, lastModified } = item.properties
      return [{ name, size: bytes(contentLength ?? 0), modified: millis(lastModified.getTime()) }]
    })
  }

  #own(blob: string): string | undefined {
    const { prefix } = this.#place
    return blob.startsWith(prefix) ? blob.slice(prefix.length) : undefined
  }

  #remember(place: string, marker: string): void {
    this.#markers.delete(place)
    this.#markers.set(place, marker)
    const [oldest] = this.#markers.keys()
    if (this.#markers.size > MARKERS && oldest !== undefined) this.#markers.delete(oldest)
  }
}

async function open(place: AzurePlace): Promise<ContainerClient> {
  const { account, container, credentials, endpoint = `https://${account}.blob.core.windows.net` } = place
  const secret = credentials === undefined ? undefined : parseAzureSecret(await readReference(credentials), credentials)
  const { http, https } = await httpAgents(place)
  const options = {
    // Requests decides what is tried again.
    retryOptions: { maxTries: 1 },
    // Not among the options that the package declares, but handed on to its HTTP pipeline like all others.
    agent: endpoint.startsWith('https:') ? https : http,
  }
  const pipeline = newPipeline(
    secret?.kind === 'key' ? new StorageSharedKeyCredential(account, secret.key) : new AnonymousCredential(),
    options,
  )
  return new ContainerClient(`${endpoint}/${container}${secret?.kind === 'sas' ? `?${secret.sas}` : ''}`, pipeline)
}

/** Piece by piece: a pack at once would hold up everything else on this thread for as long as it takes. */
async function md5(body: Uint8Array): Promise<Uint8Array> {
  const hash = createHash('md5')
  for (let at = 0; at < body.length; at += MiB) {
    hash.update(body.subarray(at, at + MiB))
    await turn()
  }
  return hash.digest()
}
