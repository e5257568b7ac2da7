import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
/** Node 24 comes as an npm package, whatever the machine has. */
export const node24 = join(root, 'node_modules', '.bin', 'node')
