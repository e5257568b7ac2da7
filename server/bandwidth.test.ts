import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { bandwidthAsker } from './bandwidth.ts'
import { homeOf } from './config.ts'
import { serverDoor } from './door.ts'
import { workerTokenPath } from './secrets.ts'

it('each process has a name that it draws, whatever its worker is called, and a refusal is not a server that is away', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-asker-'))
  const home = homeOf({ HOLDFAST_HOME: folder })
  mkdirSync(dirname(workerTokenPath(home)), { recursive: true, mode: 0o700 })
  writeFileSync(workerTokenPath(home), 'token', { mode: 0o600 })
  const named: string[] = []
  let status = 200
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (piece: Buffer) => (text += piece.toString()))
    request.on('end', () => {
      named.push((JSON.parse(text) as { worker: string }).worker)
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"shares":[]}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { signal } = new AbortController()
    const [one, other] = [
      bandwidthAsker(serverDoor(home, { HOLDFAST_URL: url })),
      bandwidthAsker(serverDoor(home, { HOLDFAST_URL: url })),
    ]
    for (const ask of [one, other, one]) await ask([], signal)
    expect(named[0]).toBe(named[2])
    expect(named[1]).not.toBe(named[0])
    for (const [code, refused] of [
      [400, 'InvalidRequest'],
      [403, 'Unauthorized'],
      [503, 'ServerUnreachable'],
    ] as const) {
      status = code
      await expect(one([], signal)).rejects.toMatchObject({ code: refused })
    }
  } finally {
    server.close()
    server.closeAllConnections()
    rmSync(folder, { recursive: true, force: true })
  }
})
