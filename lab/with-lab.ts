import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { labDown, labUp, type Lab, type LabUp } from './lab.ts'

/**
 * For tests: a lab in a temporary home, ended and deleted when `use` is done, however it is done. The VMs die with this
 * process.
 */
export async function withLab<T>(options: Omit<LabUp, 'home' | 'name'>, use: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await temporaryLab(options)
  try {
    return await use(lab)
  } finally {
    await endTemporaryLab(lab)
  }
}

/** The same for a suite whose tests share one lab: call `endTemporaryLab` in its last hook. */
export async function temporaryLab(options: Omit<LabUp, 'home' | 'name'> = {}): Promise<Lab> {
  const home = await mkdtemp(join(tmpdir(), 'hf-lab-'))
  try {
    return await labUp({ ...options, home, name: 'test' })
  } catch (error) {
    await rm(home, { recursive: true, force: true })
    throw error
  }
}

export async function endTemporaryLab(lab: Lab): Promise<void> {
  await labDown(lab.place, { remove: true })
  await rm(lab.place.home, { recursive: true, force: true })
}
