import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'

/** An HTTP proxy on loopback that makes tunnels, counts what goes through them, and refuses while it is told to. */
export class ConnectProxy implements AsyncDisposable {
  /** `host:port`, in the order of the requests. */
  readonly seen: string[] = []
  /** Of all tunnels: to the other end, and back. */
  readonly bytes = { there: 0, back: 0 }
  refused = 0
  #isRefusing = false
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer((_incoming, answer) => void answer.writeHead(405).end())

  static async start(): Promise<ConnectProxy> {
    const proxy = new ConnectProxy()
    const server = proxy.#server
    server.on('connect', (incoming, client: Socket, head) => proxy.#join(incoming.url ?? '', client, head))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** New tunnels are refused as by a policy, and those that are open end; or no longer. */
  refuse(isRefusing: boolean): void {
    this.#isRefusing = isRefusing
    if (isRefusing) for (const socket of this.#sockets) socket.destroy()
  }

  #join(target: string, client: Socket, head: Buffer): void {
    if (this.#isRefusing) {
      this.refused += 1
      return void client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
    }
    this.seen.push(target)
    const { hostname, port } = new URL(`http://${target}`)
    const there = connect(Number(port || '80'), hostname, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      there.write(head)
      there.on('data', (piece: Buffer) => (this.bytes.back += piece.byteLength))
      client.on('data', (piece: Buffer) => (this.bytes.there += piece.byteLength))
      there.pipe(client).pipe(there)
    })
    const end = (): void => {
      client.destroy()
      there.destroy()
    }
    for (const socket of [client, there]) {
      this.#sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => this.#sockets.delete(socket))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
