import { HoldfastError } from '../../base/index.ts'
import { ask, type ApiClient, type Schemas } from '../client/index.ts'
import type { Io } from '../io.ts'

const openWithinMs = 180_000
const askAgainMs = 500

/** Asks until the point is open; a run that ends before says why. */
export async function whenOpen(io: Io, api: ApiClient, session: string): Promise<Schemas['FileVolumes']> {
  const until = io.world.now() + openWithinMs
  for (;;) {
    try {
      return await ask(api.GET('/files/{session}/volumes', { params: { path: { session } } }))
    } catch (error) {
      const isEarly = error instanceof HoldfastError && error.code === 'NoWorker'
      if (!isEarly || io.world.now() > until) throw error
      await io.world.sleep(askAgainMs, io.world.signal)
    }
  }
}
