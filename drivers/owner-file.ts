import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { HoldfastError } from '../base/index.ts'
import type { Instant, OwnerMark } from './values.ts'

const mark = z.object({ installation: z.string(), name: z.string(), since: z.string() })

/** The installation that protects this VM; null: none. Throws `ForeignState` if the mark cannot be understood. */
export async function readOwnerFile(file: string): Promise<OwnerMark | null> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new HoldfastError('AccessDenied', `cannot read ${file}`, { cause: error })
  }
  try {
    const { installation, name, since } = mark.parse(JSON.parse(text))
    return { installation, name, since: since as Instant }
  } catch (error) {
    throw new HoldfastError('ForeignState', `${file} is not an owner mark`, {
      cause: error,
      hint: 'Look who wrote it; remove it if this VM is to be protected from here.',
    })
  }
}

/**
 * Compare-and-set by link(2), which fails if the name exists: of two installations that claim at the same time exactly
 * one becomes the owner, and both read the same mark. A mark of `takeFrom` is replaced, in one step.
 */
export async function claimOwnerFile(file: string, owner: OwnerMark, takeFrom?: string): Promise<OwnerMark> {
  const tmp = `${file}.${randomUUID()}`
  await writeFile(tmp, `${JSON.stringify(owner)}\n`)
  try {
    await link(tmp, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const now = takeFrom === undefined ? null : await readOwnerFile(file)
    const isOther = now !== null && now.installation !== owner.installation
    if (isOther && (now.installation === takeFrom || now.name === takeFrom)) await rename(tmp, file)
  } finally {
    await rm(tmp, { force: true })
  }
  return (await readOwnerFile(file)) ?? owner
}
