import type { AgentClient, CallOptions } from './agent.ts'

/** A file that the agent has open; it stays open over the end of a conversation. */
type AgentFile = number

/** So many bytes of content go into one command. */
const pieceBytes = 192 * 1024
/** A write may wait for the disk of the guest. */
const writeLimit = 120_000

/** Opens a file of the guest for writing from its beginning; what was in it is gone. It is made if it is not there. */
export async function openForWriting(agent: AgentClient, path: string, options?: CallOptions): Promise<AgentFile> {
  return await agent.call<AgentFile>('guest-file-open', { path, mode: 'w' }, options)
}

/** Appends at the file's position; all of it is taken when it returns. */
export async function writeTo(
  agent: AgentClient,
  file: AgentFile,
  data: Uint8Array,
  options?: CallOptions,
): Promise<void> {
  for (let at = 0; at < data.byteLength;) {
    const piece = Buffer.from(data.buffer, data.byteOffset + at, Math.min(pieceBytes, data.byteLength - at))
    const { count } = await agent.call<{ count: number }>(
      'guest-file-write',
      { handle: file, 'buf-b64': piece.toString('base64') },
      { limit: writeLimit, ...options },
    )
    at += count
  }
}

/** Hands what the agent holds to the guest's system, and ends it. */
export async function closeFile(agent: AgentClient, file: AgentFile): Promise<void> {
  await agent.call('guest-file-flush', { handle: file }, { limit: writeLimit })
  await agent.call('guest-file-close', { handle: file }, { limit: writeLimit })
}
