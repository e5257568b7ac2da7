import { HoldfastError, describeError } from '../base/index.ts'
import type { SiteOptions } from '../activities/index.ts'
import { refusalCode, type ServerDoor } from './door.ts'

/** Fetches a copy of the catalog from the server, piece by piece: it may be larger than memory. */
export function catalogCopies(door: ServerDoor): SiteOptions['catalogCopy'] {
  return async function* (snap, signal) {
    try {
      const response = await door.ask(`/api/v1/catalog-copies/${snap}`, { signal })
      if (!response.ok || response.body === null) {
        const message = `the server did not hand out the copy of its catalog: ${response.status}`
        throw new HoldfastError(refusalCode(response.status), message)
      }
      for await (const piece of response.body) yield piece
    } catch (error) {
      if (error instanceof HoldfastError || signal.aborted) throw error
      throw new HoldfastError('ServerUnreachable', `the copy of the catalog broke off: ${describeError(error)}`, {
        cause: error,
      })
    }
  }
}
