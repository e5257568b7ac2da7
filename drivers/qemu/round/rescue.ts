import { setTimeout as sleep } from 'node:timers/promises'
import { readDiskName } from '../../names.ts'
import type { QmpCaller } from '../../qmp/index.ts'
import { isAbsent } from '../../errors.ts'
import type { OpKey } from '../../values.ts'

/**
 * Frees a guest that waits for our full scratch (variant J, drivers.md §6.5): cut the readers, end the job, go on. The
 * guest loses nothing; the round is broken. Returns false if the guest does not wait, or not for a job of ours.
 */
export async function rescue(qmp: QmpCaller, selected: (opKey: OpKey) => boolean): Promise<boolean> {
  const { status } = await qmp.call<{ status: string }>('query-status')
  if (status !== 'io-error') return false
  const mine = (id: string): boolean => {
    const read = readDiskName(id)
    return read !== null && selected(read.opKey)
  }
  const jobs = (await qmp.call<readonly { id: string; status: string }[]>('query-jobs')).filter((j) => mine(j.id))
  if (jobs.length === 0) return false
  for (const { id } of (await qmp.call<readonly { id: string }[]>('query-block-exports')).filter((e) => mine(e.id)))
    await tolerant(qmp.call('block-export-del', { id, mode: 'hard' }))
  for (const { id, status } of jobs) if (status !== 'concluded') await tolerant(qmp.call('job-cancel', { id }))
  // A cancelled job lets go of the guest's writes within milliseconds; until then `cont` would stop again at once.
  for (let i = 0; i < 100; i++) {
    const left = await qmp.call<readonly { id: string; status: string }[]>('query-jobs')
    if (left.every((j) => !mine(j.id) || j.status === 'concluded')) break
    await sleep(20)
  }
  await qmp.call('cont')
  return true
}

async function tolerant(removal: Promise<unknown>): Promise<void> {
  try {
    await removal
  } catch (error) {
    if (!isAbsent(error)) throw error
  }
}
