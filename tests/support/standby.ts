import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { compareImages, type Oracle } from '../../lab/index.ts'

export interface ComparedDisk {
  readonly disk: string
  readonly identical: boolean
}

/**
 * The disks of the state that a standby of the platform `qemu` in `dir` holds by its own record, each compared with the
 * oracle's copy of that instant, byte by byte.
 */
export async function compareStandby(oracle: Oracle, dir: string): Promise<readonly ComparedDisk[]> {
  const numberOf = (name: string): number => Number(/\.standby\.(\d+)\.json$/.exec(name)?.[1] ?? -1)
  const newest =
    readdirSync(dir)
      .toSorted((a, b) => numberOf(a) - numberOf(b))
      .at(-1) ?? ''
  const { head } = JSON.parse(readFileSync(join(dir, newest), 'utf8')) as {
    head: { id: string; volumes: { key: string; chain: string[] }[] }
  }
  const compared: ComparedDisk[] = []
  for (const { key, chain } of head.volumes) {
    const image = { file: join(dir, chain.at(-1) ?? ''), format: 'qcow2' } as const
    const wanted = { file: await oracle.image(head.id, key), format: 'raw' } as const
    compared.push({ disk: key, identical: (await compareImages(wanted, image)).identical })
  }
  await oracle.forget(head.id)
  return compared
}
