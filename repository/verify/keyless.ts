import { decodeManifestHeader, formatError, MANIFEST_HEADER, names, parseName } from '../format/index.ts'
import { listAll } from '../store/index.ts'
import type { Context } from './context.ts'

/**
 * What can be said of points without a key: the clear header of each manifest (§4.4) has its CRC, agrees with the name and
 * says how long the object is. Their content is under keys.
 */
export async function checkClearHeaders({ engine, log, reread, signal }: Context): Promise<void> {
  let points = 0
  for (const { name } of await listAll(engine.store, 'snap/')) {
    const parsed = parseName(name)
    if (parsed?.kind !== 'manifest') continue
    points += 1
    const reading = await reread.read(name, async (store) => {
      const info = await store.head(name)
      if (info === undefined) return
      if (info.size < MANIFEST_HEADER) throw formatError(name, `has ${info.size} bytes`)
      const bytes = await store.getRange(name, 0, MANIFEST_HEADER, signal)
      const header = decodeManifestHeader(bytes, info.size, parsed.stem)
      if (header.repo !== engine.fmt.repo) throw formatError(name, `belongs to repository ${header.repo}`)
    })
    // Removed since the listing.
    if (reading.sound || reading.error.code === 'ObjectAbsent') continue
    const { error, proved } = reading
    const what = { pack: null, object: names.snap(parsed.stem, 'manifest'), found: 'manifest', proved } as const
    log.add({ ...what, message: error.message }).affect(parsed.stem, '', null)
  }
  log.note(
    `without a key: what ${points} points refer to was not checked (L1r), nor whether chunks open (L4), nor the MACs of validations, tombstones and records of garbage collection, nor that the descriptor is signed by this repository's key`,
  )
}
