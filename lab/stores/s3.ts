import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { freePorts } from './ports.ts'
import { StoreProcess, type StoreCommand } from './process.ts'
import { requireStore } from './programs.ts'

export type S3Server = 'seaweedfs' | 'versitygw' | 'minio'

/** For stores that are gone when the test is. */
const id = 'holdfasttest'
const secret = 'holdfasttestsecret'

/** An S3 service of its own, with buckets as a test wants them. */
export class S3Lab implements AsyncDisposable {
  readonly process: StoreProcess
  readonly endpoint: string
  /** What `credentials=` of a URL takes. */
  readonly credentials: string
  /** With all rights; for what a test does behind Holdfast's back. */
  readonly client: S3Client

  private constructor(process: StoreProcess, endpoint: string, credentials: string, client: S3Client) {
    this.process = process
    this.endpoint = endpoint
    this.credentials = credentials
    this.client = client
  }

  static async start(server: S3Server): Promise<S3Lab> {
    const program = requireStore(server)
    const ports = await freePorts(server === 'seaweedfs' ? 10 : 1)
    const endpoint = `http://127.0.0.1:${ports[0]}`
    const client = clientOf(endpoint)
    const process = await StoreProcess.start(
      server,
      (folder) => ({ program, ...commands[server](folder, ports) }),
      async () => void (await client.send(new ListBucketsCommand({}))),
    )
    const credentials = join(process.folder, 'credentials')
    await writeFile(credentials, `${id}:${secret}\n`, { mode: 0o600 })
    return new S3Lab(process, endpoint, `file:${credentials}`, client)
  }

  /** A new bucket and the URL of a place in it. */
  async bucket(
    options: { readonly prefix?: string; readonly objectLock?: boolean; readonly query?: string } = {},
  ): Promise<{
    readonly bucket: string
    readonly url: string
  }> {
    const { prefix = '', objectLock = false, query = '' } = options
    const bucket = `hf-${randomBytes(6).toString('hex')}`
    await this.client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: objectLock }))
    const lock = objectLock ? '&object-lock=compliance' : ''
    const place = `endpoint=${this.endpoint}&credentials=${this.credentials}${lock}${query}`
    return { bucket, url: `s3://${bucket}/${prefix}?${place}` }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.destroy()
    await this.process[Symbol.asyncDispose]()
  }
}

function clientOf(endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: id, secretAccessKey: secret },
    maxAttempts: 1,
  })
}

type Command = (folder: string, ports: readonly number[]) => Omit<StoreCommand, 'program'>

const commands: { readonly [server in S3Server]: Command } = {
  seaweedfs: (folder, ports) => {
    // Every port is named again at each start: it keeps those of the last one in a file and would take them.
    const [s3, ...rest] = ports
    const names = ['s3.port.grpc', 'master.port', 'master.port.grpc', 'volume.port', 'volume.port.grpc']
    const more = [...names, 'filer.port', 'filer.port.grpc', 'admin.port', 'admin.port.grpc']
    return {
      args: [
        'mini',
        `-dir=${join(folder, 'data')}`,
        ...['-ip=127.0.0.1', '-ip.bind=127.0.0.1', '-master.telemetry=false', '-admin.ui=false', '-webdav=false'],
        ...[`-s3.port=${s3}`, '-s3.port.iceberg=0', '-s3.port.lance=0'],
        ...more.map((name, index) => `-${name}=${rest[index]}`),
      ],
      // Without them it takes every write of everybody.
      env: { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret },
    }
  },
  versitygw: (folder, [port]) => {
    const versions = join(folder, 'versions')
    mkdirSync(versions)
    const place = ['posix', '--versioning-dir', versions, join(folder, 'data')]
    return {
      args: ['--port', `127.0.0.1:${port}`, '--quiet', '--keep-alive', ...place],
      env: { ROOT_ACCESS_KEY: id, ROOT_SECRET_KEY: secret },
    }
  },
  minio: (folder, [port]) => ({
    args: ['server', '--address', `127.0.0.1:${port}`, '--quiet', join(folder, 'data')],
    env: {
      MINIO_ROOT_USER: id,
      MINIO_ROOT_PASSWORD: secret,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      MINIO_CI_CD: '1',
    },
  }),
}
