import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A TCP connection to a store that can fall silent: nothing is refused or closed, no byte comes through. */
export class StallProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly port: number
  #isStalled = false

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
  }

  static async start(targetPort: number): Promise<StallProxy> {
    const server = createServer({ pauseOnConnect: true })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const proxy = new StallProxy(server)
    server.on('connection', (client) => proxy.#join(client, connect(targetPort, '127.0.0.1')))
    return proxy
  }

  stall(): void {
    this.#isStalled = true
    for (const socket of this.#sockets) socket.pause()
  }

  go(): void {
    this.#isStalled = false
    for (const socket of this.#sockets) socket.resume()
  }

  #join(client: Socket, store: Socket): void {
    for (const [from, to] of [
      [client, store],
      [store, client],
    ] as const) {
      this.#sockets.add(from)
      from.on('data', (data) => {
        if (to.write(data)) return
        from.pause()
        to.once('drain', () => !this.#isStalled && from.resume())
      })
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      if (this.#isStalled) from.pause()
      else from.resume()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
