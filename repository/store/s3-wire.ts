import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  S3Client,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { bytes, HoldfastError, millis } from '../../base/index.ts'
import { parseS3Keys, readReference, type S3Keys } from './credentials.ts'
import { httpAgents, type HttpAgents } from './http-agents.ts'
import type { S3Place } from './location-url.ts'
import type { Failure } from './requests.ts'
import { s3Failure } from './s3-errors.ts'
import type { ObjectInfo } from './store.ts'
import type { Action, Wire, WireBody, WireDeleteAnswer, WireHead, WirePage, WirePut, WirePutAnswer } from './wire.ts'

/** Credentials are read again after so long: a key that was replaced takes effect without a restart. */
const CREDENTIALS_MS = 15 * 60_000
const CONNECT_MS = 10_000
/** No byte in either direction for so long: the connection is dead. */
const IDLE_MS = 60_000

/** The S3 protocol, a request per call. Names become keys by the place's prefix. */
export class S3Wire implements Wire {
  readonly #client: S3Client
  readonly #place: S3Place
  readonly #page: number
  #date: number | undefined

  /** `page`: objects in one page of a listing. Throws ConfigInvalid. */
  static async open(place: S3Place, page: number): Promise<S3Wire> {
    return new S3Wire(place, page, await httpAgents(place))
  }

  private constructor(place: S3Place, page: number, agents: HttpAgents) {
    this.#place = place
    this.#page = page
    const { credentials, endpoint, region, pathStyle } = place
    this.#client = new S3Client({
      region,
      forcePathStyle: pathStyle,
      ...(endpoint !== undefined && { endpoint }),
      ...(credentials !== undefined && { credentials: () => keysOf(credentials) }),
      // Requests decides what is tried again.
      maxAttempts: 1,
      // Every put carries its own SHA-256, and whatever is read is checked against the repository's hashes.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      expectContinueHeader: false,
      requestHandler: new NodeHttpHandler({
        httpAgent: agents.http,
        httpsAgent: agents.https,
        connectionTimeout: CONNECT_MS,
        socketTimeout: IDLE_MS,
      }),
    })
    this.#client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args)
        const { headers } = result.response as { readonly headers?: { readonly date?: string } }
        const date = Date.parse(headers?.date ?? '')
        this.#date = Number.isNaN(date) ? undefined : date
        return result
      },
      { step: 'deserialize', priority: 'low', name: 'dateOfAnswer' },
    )
  }

  async put(name: string, body: Uint8Array, options: WirePut, signal: AbortSignal): Promise<WirePutAnswer> {
    const { sha256, ifAbsent, retainUntil } = options
    const checksum = Buffer.from(sha256).toString('base64')
    const command = new PutObjectCommand({
      ...this.#key(name),
      Body: body,
      ContentLength: body.length,
      ChecksumSHA256: checksum,
      ...(ifAbsent && { IfNoneMatch: '*' }),
      ...(retainUntil !== undefined && {
        ObjectLockMode: this.#place.objectLock ?? 'COMPLIANCE',
        ObjectLockRetainUntilDate: wholeSecond(retainUntil),
      }),
    })
    // The signature covers the body by the hash that is known already, instead of hashing it once more.
    command.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { headers: { [name: string]: string } }
        headers['x-amz-content-sha256'] = Buffer.from(sha256).toString('hex')
        return next(args)
      },
      { step: 'build', priority: 'low', name: 'hashOfBody' },
    )
    const answer = await this.#client.send(command, { abortSignal: signal })
    const { VersionId: version } = answer
    return { isChecked: answer.ChecksumSHA256 === checksum, ...(version !== undefined && { version }) }
  }

  async get(name: string, range: readonly [number, number] | undefined, signal: AbortSignal): Promise<WireBody> {
    const [from, length] = range ?? []
    const header = from === undefined || length === undefined ? undefined : `bytes=${from}-${from + length - 1}`
    const command = new GetObjectCommand({ ...this.#key(name), ...(header !== undefined && { Range: header }) })
    const { Body, ContentLength, ContentRange } = await this.#client.send(command, { abortSignal: signal })
    const body = Body as (AsyncIterable<Uint8Array> & { destroy(): void }) | undefined
    if (body === undefined || ContentLength === undefined) throw new Error('the answer has no body')
    const close = () => body.destroy()
    if (header === undefined) return { size: ContentLength, length: ContentLength, body, close }
    const [, start, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(ContentRange ?? '') ?? []
    if (Number(start) === from && size !== undefined) return { size: Number(size), length: ContentLength, body, close }
    close()
    throw new HoldfastError(
      'StoreUnfit',
      `the store does not answer ranges: asked for ${header}, it gave ${ContentRange ?? 'everything'}`,
    )
  }

  async head(name: string, signal: AbortSignal): Promise<WireHead> {
    const command = new HeadObjectCommand({ ...this.#key(name), ChecksumMode: 'ENABLED' })
    const answer = await this.#client.send(command, { abortSignal: signal })
    const { ContentLength, LastModified, VersionId, ObjectLockRetainUntilDate, ChecksumSHA256 } = answer
    return {
      name,
      size: bytes(ContentLength ?? 0),
      modified: millis(LastModified?.getTime() ?? 0),
      ...(VersionId !== undefined && { version: VersionId }),
      ...(ObjectLockRetainUntilDate && { retainUntil: millis(ObjectLockRetainUntilDate.getTime()) }),
      ...(answer.ObjectLockLegalHoldStatus === 'ON' && { isHeld: true }),
      ...(ChecksumSHA256 !== undefined && { sha256: Buffer.from(ChecksumSHA256, 'base64').toString('hex') }),
    }
  }

  async flat(prefix: string, cursor: string | undefined, signal: AbortSignal): Promise<WirePage> {
    const { Bucket, Key } = this.#key(prefix)
    const after = cursor === undefined ? {} : { StartAfter: this.#place.prefix + cursor }
    const command = new ListObjectsV2Command({ Bucket, Prefix: Key, MaxKeys: this.#page, ...after })
    const answer = await this.#client.send(command, { abortSignal: signal })
    const page = this.#pageOf(answer)
    if (answer.IsTruncated !== true) return page
    // Stateless: the next page begins after the last name, whichever connection asks for it.
    const last = page.objects.at(-1)?.name
    if (last === undefined)
      throw new HoldfastError('ListingIncomplete', `an empty page of ${prefix} says that more follows`)
    return { ...page, next: last }
  }

  async level(prefix: string, next: string | undefined, signal: AbortSignal): Promise<WirePage> {
    const { Bucket, Key } = this.#key(prefix)
    const level = { Bucket, Prefix: Key, Delimiter: '/', ContinuationToken: next }
    const command = new ListObjectsV2Command({ ...level, MaxKeys: this.#page })
    const answer = await this.#client.send(command, { abortSignal: signal })
    const page = this.#pageOf(answer)
    if (answer.IsTruncated !== true) return page
    const { NextContinuationToken: token } = answer
    if (token === undefined)
      throw new HoldfastError('ListingIncomplete', `a page of ${prefix} does not say where more follows`)
    return { ...page, next: token }
  }

  async delete(name: string, version: string | undefined, signal: AbortSignal): Promise<WireDeleteAnswer> {
    const command = new DeleteObjectCommand({ ...this.#key(name), VersionId: version })
    const { DeleteMarker, VersionId } = await this.#client.send(command, { abortSignal: signal })
    const isMarker = version === undefined && DeleteMarker === true && VersionId !== undefined
    return isMarker ? { marker: VersionId } : {}
  }

  async date(signal: AbortSignal): Promise<number> {
    const { Bucket, Key } = this.#key('')
    await this.#client.send(new ListObjectsV2Command({ Bucket, Prefix: Key, MaxKeys: 1 }), { abortSignal: signal })
    if (this.#date === undefined) throw new HoldfastError('StoreUnfit', 'the answers of the store carry no date')
    return this.#date
  }

  async extendRetention(name: string, until: number, signal: AbortSignal): Promise<void> {
    const Retention = { Mode: this.#place.objectLock ?? 'COMPLIANCE', RetainUntilDate: wholeSecond(until) }
    await this.#client.send(new PutObjectRetentionCommand({ ...this.#key(name), Retention }), { abortSignal: signal })
  }

  async setLegalHold(name: string, isHeld: boolean, signal: AbortSignal): Promise<void> {
    const LegalHold = { Status: isHeld ? 'ON' : 'OFF' } as const
    await this.#client.send(new PutObjectLegalHoldCommand({ ...this.#key(name), LegalHold }), { abortSignal: signal })
  }

  failure(error: unknown, action: Action, name: string): Failure {
    return s3Failure(error, action, name, this.#place)
  }

  #key(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#place.bucket, Key: this.#place.prefix + name }
  }

  #pageOf({ Contents = [], CommonPrefixes = [] }: ListObjectsV2CommandOutput): WirePage {
    const own = (key: string | undefined) => {
      const { prefix } = this.#place
      return key?.startsWith(prefix) === true ? key.slice(prefix.length) : undefined
    }
    const objects = Contents.flatMap(({ Key, Size, LastModified }): ObjectInfo[] => {
      const name = own(Key)
      if (name === undefined || name === '') return []
      return [{ name, size: bytes(Size ?? 0), modified: millis(LastModified?.getTime() ?? 0) }]
    })
    return { objects, folders: CommonPrefixes.flatMap(({ Prefix }) => own(Prefix) ?? []) }
  }
}

/** Retention is kept in seconds; never shorter than asked for. */
function wholeSecond(ms: number): Date {
  return new Date(Math.ceil(ms / 1000) * 1000)
}

async function keysOf(reference: string): Promise<S3Keys & { readonly expiration: Date }> {
  const keys = parseS3Keys(await readReference(reference), reference)
  return { ...keys, expiration: new Date(Date.now() + CREDENTIALS_MS) }
}
