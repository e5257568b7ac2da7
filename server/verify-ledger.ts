import { HoldfastError } from '../base/index.ts'
import type { SiteOptions } from '../activities/index.ts'
import type { LedgerPass, VerifyLedger } from '../repository/index.ts'
import { refusalCode, type ServerDoor } from './door.ts'

/** Name 32 ‖ L3 u32 ‖ L4 u32, in Unix seconds: see `catalog/scrubs.ts`. */
const RECORD = 40

/** The ledger of verify passes that the server keeps for all workers of a repository. Throws ServerUnreachable, Unauthorized. */
export function verifyLedgers(door: ServerDoor): SiteOptions['verifyLedger'] {
  return (repositoryId): VerifyLedger => {
    const path = `/api/v1/verify-ledgers/${encodeURIComponent(repositoryId)}`
    return {
      async *passes(signal) {
        const { body } = await ask(door, path, { signal })
        let rest: Uint8Array = new Uint8Array()
        for await (const piece of body ?? []) {
          const bytes = Buffer.concat([rest, piece])
          const whole = bytes.length - (bytes.length % RECORD)
          for (let at = 0; at < whole; at += RECORD) yield passOf(bytes.subarray(at, at + RECORD))
          rest = bytes.subarray(whole)
        }
      },
      async record(passes) {
        const body = Buffer.alloc(passes.length * RECORD)
        for (const [index, { pack, level, atMs }] of passes.entries()) {
          body.write(pack, index * RECORD, 'hex')
          body.writeUInt32LE(Math.floor(atMs / 1000), index * RECORD + (level === 'L3' ? 32 : 36))
        }
        const headers = { 'content-type': 'application/octet-stream' }
        await ask(door, path, { method: 'POST', headers, body, signal: AbortSignal.timeout(30_000) })
      },
    }
  }
}

function passOf(record: Buffer): LedgerPass {
  return {
    pack: record.toString('hex', 0, 32),
    l3Ms: record.readUInt32LE(32) * 1000,
    l4Ms: record.readUInt32LE(36) * 1000,
  }
}

async function ask(door: ServerDoor, path: string, request: RequestInit): Promise<Response> {
  const response = await door.ask(path, request)
  if (response.ok) return response
  const code = refusalCode(response.status) === 'Unauthorized' ? 'Unauthorized' : 'ServerUnreachable'
  throw new HoldfastError(code, `the server did not keep the ledger of passes: ${response.status}`)
}
