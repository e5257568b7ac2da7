import { parentPort, workerData } from 'node:worker_threads'
import { toHoldfastError } from '../base/index.ts'
import { makeCopy, type CopyReply, type CopyTask } from './own-copy-file.ts'

/** The thread that `copyCatalog` starts: one copy, one answer. */
const port = parentPort
if (port === null) throw new Error('runs as a worker thread only')

async function reply(): Promise<CopyReply> {
  try {
    return await makeCopy(workerData as CopyTask)
  } catch (error) {
    return { error: toHoldfastError(error).toJSON() }
  }
}

port.postMessage(await reply())
