import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dialUnix, isGone } from './socket.ts'

test('a listener whose queue is full is asked again; one that is not there is said to be gone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hf-dial-'))
  const path = join(folder, 'socket')
  const server = createServer((socket) => void socket.on('error', () => undefined))
  server.listen({ path, backlog: 1 })
  await once(server, 'listening')
  try {
    // All of them connect before the listener takes the first: the kernel refuses those for which its queue has no room.
    const refused: (string | undefined)[] = []
    const crowd = Array.from({ length: 6 }, () => {
      const socket = connect(path)
      socket.on('error', ({ code }: NodeJS.ErrnoException) => refused.push(code))
      return socket
    })
    const dialled = await Promise.all([
      dialUnix(path, 'a busy peer', undefined),
      dialUnix(path, 'a busy peer', undefined),
    ])
    expect(refused).toContain('EAGAIN')
    for (const socket of [...crowd, ...dialled]) socket.destroy()
  } finally {
    server.close()
  }
  const nobody = dialUnix(join(folder, 'nobody'), 'nobody', undefined)
  expect(isGone(await nobody.catch((error: unknown) => error))).toBe(true)
  rmSync(folder, { recursive: true, force: true })
})
