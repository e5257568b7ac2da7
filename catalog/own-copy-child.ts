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

process.stdout.write(JSON.stringify(await reply()))
