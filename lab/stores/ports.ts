import { createServer, type Server } from 'node:net'

/** Ports of 127.0.0.1 that nobody used a moment ago; held together, so that none is handed out twice. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = []
  try {
    for (let n = 0; n < count; n++) servers.push(await listen())
    return servers.map((server) => {
      const address = server.address()
      return address === null || typeof address === 'string' ? 0 : address.port
    })
  } finally {
    for (const server of servers) server.close()
  }
}

async function listen(): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return server
}
