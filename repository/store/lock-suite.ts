import { createHash, randomBytes } from 'node:crypto'
import {
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { millis } from '../../base/index.ts'
import { connectTo } from './location.ts'
import { parseLocation } from './location-url.ts'
import { probeStore, SMALL_PROBE } from './probe.ts'
import { listAll, type ObjectStore } from './store.ts'

/** A service that runs, and a client with all rights on it. */
export interface LockedUnderTest {
  bucket(options?: { readonly objectLock?: boolean }): Promise<{ readonly bucket: string; readonly url: string }>
  readonly client: S3Client
}

const { signal } = new AbortController()
const put = (store: ObjectStore, name: string, retainUntil?: number) => {
  const body = randomBytes(1000)
  const sha256 = createHash('sha256').update(body).digest()
  return store.putIfAbsent(name, body, {
    sha256,
    signal,
    ...(retainUntil !== undefined && { retainUntil: millis(retainUntil) }),
  })
}
const inSeconds = (n: number) => millis(Math.ceil(Date.now() / 1000 + n) * 1000)

/** §11.5 and versions, from a real service. */
export function lockSuite(kind: string, lab: () => LockedUnderTest): void {
  const locked = async () => {
    const { bucket, url } = await lab().bucket({ objectLock: true })
    return { bucket, connect: connectTo(parseLocation(url)) }
  }

  describe(`${kind} with Object Lock`, () => {
    it('passes check 9 of the litmus probe', async () => {
      const { connect } = await locked()
      const report = await probeStore([connect(), connect()], SMALL_PROBE)
      expect(report.checks.filter(({ passed }) => !passed)).toEqual([])
      expect(report.checks.at(-1)).toMatchObject({ name: 'object lock', passed: true })
      expect(await listAll(connect(), '')).toEqual([])
    })

    it('keeps what is retained, shows until when, and extends it; the service refuses to shorten it', async () => {
      const { bucket, connect } = await locked()
      const store = connect()
      const until = inSeconds(3600)
      await put(store, 'pack/aa/x', until)
      expect(await store.head('pack/aa/x')).toMatchObject({ retainUntil: until })
      await expect(store.delete('pack/aa/x')).rejects.toMatchObject({ code: 'StoreLocked' })
      const later = inSeconds(7200)
      await store.extendRetention?.('pack/aa/x', later)
      await store.extendRetention?.('pack/aa/x', until)
      expect(await store.head('pack/aa/x')).toMatchObject({ retainUntil: later })
      const place = { Bucket: bucket, Key: 'pack/aa/x' }
      const shorter = { Mode: 'COMPLIANCE', RetainUntilDate: new Date(until) } as const
      const bypass = { BypassGovernanceRetention: true }
      await expect(
        lab().client.send(new PutObjectRetentionCommand({ ...place, Retention: shorter, ...bypass })),
      ).rejects.toThrow()
      const { Retention } = await lab().client.send(new GetObjectRetentionCommand(place))
      expect(Retention?.RetainUntilDate?.getTime()).toBe(later)
    })

    it('keeps what is held until it is released', async () => {
      const { connect } = await locked()
      const store = connect()
      await put(store, 'pack/aa/held')
      await store.setLegalHold?.('pack/aa/held', true)
      await store.setLegalHold?.('pack/aa/held', true)
      await expect(store.delete('pack/aa/held')).rejects.toMatchObject({ code: 'StoreLocked' })
      await store.setLegalHold?.('pack/aa/held', false)
      await store.delete('pack/aa/held')
      expect(await store.head('pack/aa/held')).toBeUndefined()
    })

    it('removes every version of an object, and leaves no marker', async () => {
      const { bucket, connect } = await locked()
      await put(connect(), 'gc/x')
      await connect().delete('gc/x')
      await connect().delete('gc/x')
      const versions = await lab().client.send(new ListObjectVersionsCommand({ Bucket: bucket }))
      expect([...(versions.Versions ?? []), ...(versions.DeleteMarkers ?? [])]).toEqual([])
    })

    it('removes the object and not only its name when versions are switched on while it runs', async () => {
      const { bucket, url } = await lab().bucket()
      const store = connectTo(parseLocation(url))()
      await put(store, 'gc/a')
      await store.delete('gc/a')
      const VersioningConfiguration = { Status: 'Enabled' } as const
      await lab().client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }))
      await put(connectTo(parseLocation(url))(), 'gc/b')
      await store.delete('gc/b')
      const { Versions = [], DeleteMarkers = [] } = await lab().client.send(
        new ListObjectVersionsCommand({ Bucket: bucket }),
      )
      expect([...Versions, ...DeleteMarkers].map(({ Key }) => Key)).toEqual([])
    })
  })
}
