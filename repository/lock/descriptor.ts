import { names, parseName } from '../format/index.ts'
import { listAll, type ObjectStore } from '../store/index.ts'

/** §11.5: `fmt*`, and the keys of the newest generation: without them nothing that is locked could be read. */
export async function descriptorOf(store: ObjectStore): Promise<string[]> {
  const keys = (await listAll(store, 'keys/')).flatMap(({ name }) => {
    const parsed = parseName(name)
    return parsed?.kind === 'key-slot' || parsed?.kind === 'key-set' ? [{ name, kekGen: parsed.kekGen }] : []
  })
  const newest = Math.max(0, ...keys.map(({ kekGen }) => kekGen))
  const current = keys.filter(({ kekGen }) => kekGen === newest).map(({ name }) => name)
  return [names.fmt(0), names.fmt(1), names.fmt(2), ...current]
}
