import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { freePorts } from './ports.ts'
import { StoreProcess } from './process.ts'
import { requireStore } from './programs.ts'

/** The account that every Azurite has; its key is published and protects nothing. */
const account = 'devstoreaccount1'
const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='

/**
 * The blob service of Azurite. It speaks the protocol and keeps the preconditions, and it is no evidence of durability:
 * what was acknowledged in the seconds before a kill -9 is lost. It has neither versions nor immutability.
 */
export class AzuriteLab implements AsyncDisposable {
  readonly process: StoreProcess
  readonly endpoint: string
  readonly credentials: string
  readonly client: BlobServiceClient

  private constructor(process: StoreProcess, endpoint: string, credentials: string, client: BlobServiceClient) {
    this.process = process
    this.endpoint = endpoint
    this.credentials = credentials
    this.client = client
  }

  static async start(): Promise<AzuriteLab> {
    const script = requireStore('azurite')
    const [port] = await freePorts(1)
    const endpoint = `http://127.0.0.1:${port}/${account}`
    const client = new BlobServiceClient(endpoint, new StorageSharedKeyCredential(account, key), {
      retryOptions: { maxTries: 1 },
    })
    const started = await StoreProcess.start(
      'azurite',
      (folder) => ({
        program: execPath,
        args: [
          script,
          ...['--blobHost', '127.0.0.1', '--blobPort', String(port), '--location', join(folder, 'data')],
          // It knows no API version as new as that of the client, and refuses what it does not know.
          ...['--silent', '--disableTelemetry', '--skipApiVersionCheck'],
        ],
      }),
      async () => void (await client.listContainers().byPage({ maxPageSize: 1 }).next()),
    )
    const credentials = join(started.folder, 'credentials')
    await writeFile(credentials, `${key}\n`, { mode: 0o600 })
    return new AzuriteLab(started, endpoint, `file:${credentials}`, client)
  }

  /** A new container and the URL of a place in it. */
  async container(prefix = ''): Promise<{ readonly container: string; readonly url: string }> {
    const container = `hf-${randomBytes(6).toString('hex')}`
    await this.client.createContainer(container)
    const place = `endpoint=${this.endpoint}&credentials=${this.credentials}`
    return { container, url: `azure://${account}/${container}/${prefix}?${place}` }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]()
  }
}
