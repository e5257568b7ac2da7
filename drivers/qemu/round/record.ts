import { randomUUID } from 'node:crypto'
import { readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { HoldfastError } from '../../../base/index.ts'
import { ownsOpKey, roundFile } from '../../names.ts'
import type { OpKey } from '../../values.ts'
import type { Vm } from '../vm.ts'

/**
 * What a round is about, written beside the VM's sockets before anything is made and removed after everything else.
 * State is never read from it (drivers.md §6.1): it answers what queries cannot, namely whose pause and whose start of
 * the VM this was, and where the scratch lies.
 */
const record = z.object({
  v: z.literal(1),
  opKey: z.string(),
  point: z.string(),
  tracker: z.string(),
  createdAt: z.string(),
  scratch: z.string(),
  variant: z.enum(['filter', 'job']),
  /** The guest was running and we are about to stop it for the switch: a paused guest is ours to resume. */
  switching: z.boolean(),
  /** We are about to freeze the guest: as long as this stands, silence of its agent does not mean that it is thawed. */
  freezing: z.boolean(),
  /** The VM was off, and we started it without letting it run. */
  startedByUs: z.boolean(),
})
export type RoundRecord = z.infer<typeof record>

export async function writeRound(vm: Vm, round: RoundRecord): Promise<void> {
  const file = join(vm.paths.dir, roundFile(round.opKey as OpKey))
  const tmp = `${file}.${randomUUID()}`
  await vm.host.effects.run('file: round record', async () => {
    await writeFile(tmp, `${JSON.stringify(round)}\n`)
    await rename(tmp, file)
  })
}

export async function removeRound(vm: Vm, opKey: OpKey): Promise<void> {
  await vm.host.effects.run('file: remove round record', () =>
    rm(join(vm.paths.dir, roundFile(opKey)), { force: true }),
  )
}

/** Records of this installation's rounds. One that cannot be parsed was cut off in the writing of another version. */
export async function readRounds(vm: Vm, installation: string): Promise<readonly RoundRecord[]> {
  const out: RoundRecord[] = []
  for (const name of await filesIn(vm.paths.dir)) {
    const opKey = /^(hf-[a-z2-7]{6}-[a-z2-7]{13})\.round\.json$/.exec(name)?.[1]
    if (opKey === undefined || !ownsOpKey(installation, opKey)) continue
    const parsed = record.safeParse(parseJson(await readFile(join(vm.paths.dir, name), 'utf8')))
    if (!parsed.success)
      throw new HoldfastError('ForeignState', `${join(vm.paths.dir, name)} is not a round record`, {
        hint: 'Remove the file after looking at what it says; Holdfast then clears up by names alone.',
      })
    out.push(parsed.data)
  }
  return out
}

/** Names in a folder; none if there is no such folder. */
export async function filesIn(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    return error
  }
}
