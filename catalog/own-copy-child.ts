import { toHoldfastError } from '../base/index.ts'
import { makeCopy, type CopyReply } from './own-copy-file.ts'

/**
 * Program of the short-lived child that `copyCatalog` starts: `own-copy-child.ts FROM TO` makes one copy, writes one answer
 * to standard output, ends.
 */
async function reply(): Promise<CopyReply> {
  const [from = '', to = ''] = process.argv.slice(2)
  try {
    return await makeCopy({ from, to })
  } catch (error) {
    return { error: toHoldfastError(error).toJSON() }
  }
}

// The server at the other end: when it is killed, nobody wants the copy, and the next server makes one of its own there.
process.stdin.once('close', () => process.exit(1)).resume()
const said = JSON.stringify(await reply())
process.stdout.write(said, () => process.exit(0))
