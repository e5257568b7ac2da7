import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A peer on a UNIX socket that says what the test tells it to; for what QEMU and its agent do only when they fail. */
export class FakePeer implements AsyncDisposable {
  readonly path: string
  readonly received: string[] = []
  readonly #folder: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(folder: string, greet: (socket: Socket) => void, answer: (line: string, socket: Socket) => void) {
    this.#folder = folder
    this.path = join(folder, 'peer.sock')
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      greet(socket)
      let rest = ''
      socket.on('data', (chunk: Buffer) => {
        rest += chunk.toString('latin1')
        for (let at = rest.indexOf('\n'); at >= 0; at = rest.indexOf('\n')) {
          const line = rest.slice(0, at)
          rest = rest.slice(at + 1)
          this.received.push(line)
          answer(line, socket)
        }
      })
    })
  }

  static async listen(
    greet: (socket: Socket) => void,
    answer: (line: string, socket: Socket) => void,
  ): Promise<FakePeer> {
    const peer = new FakePeer(await mkdtemp(join(tmpdir(), 'hf-peer-')), greet, answer)
    await new Promise<void>((resolve) => peer.#server.listen(peer.path, resolve))
    return peer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
    await rm(this.#folder, { recursive: true, force: true })
  }
}
