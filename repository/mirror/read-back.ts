import { HoldfastError } from '../../base/index.ts'
import { parseStem } from '../format/index.ts'
import { loadManifest, notRestorable } from '../read/manifest.ts'
import { LoadedPoint } from '../read/open-point.ts'
import { shareIdentity, storedDisk } from './disk.ts'
import { mirroredDisks, type MirrorJob } from './point.ts'

/**
 * §13, lesson 29: a mirror is verified by reading from it. `new`: what changed since the parent; what is inherited was read
 * when that was mirrored. `full`: every byte, as a restore would. With every check of §7.8, and where both repositories share
 * their ids the images are compared as well. Bytes read.
 */
export async function readBack(
  job: Pick<MirrorJob, 'from' | 'to' | 'manifest' | 'parent' | 'target' | 'signal'>,
  what: 'new' | 'full',
): Promise<number> {
  const { from, to, target, signal } = job
  const there = await loadManifest(to.store, to.ring, target, signal)
  if (there === undefined) throw notRestorable(target, 'has lost its manifest')
  let bytes = 0
  for (const { disk, source } of mirroredDisks(job)) {
    const copy = storedDisk(to, there, disk.id)
    if (copy === undefined || copy.disk.bytes !== disk.bytes) throw differs(target, disk.id)
    const everything = async function* () {
      yield { offset: 0, length: disk.bytes, kind: 'data' as const }
    }
    const extents = what === 'full' ? everything() : source.extents(0, disk.bytes, signal)
    for await (const { offset, length, kind } of extents) {
      if (kind !== 'data') {
        for await (const run of copy.reader.runs(offset, offset + length)) {
          if (run.kind !== 'hole') throw differs(target, disk.id)
        }
        continue
      }
      for await (const { data } of copy.reader.stream(offset, offset + length, signal)) bytes += data.length
    }
    const comparable = shareIdentity(from, to) && !source.rechunked
    if (comparable && copy.disk.imageRoot !== disk.imageRoot) throw differs(target, disk.id)
  }
  const entry = { stem: target, ...parseStem(target), state: 'recovery-point', validatedMs: null } as const
  await using point = new LoadedPoint(to, there, entry)
  for (const { name } of there.body.json.configs) {
    for await (const part of point.config(name)) bytes += part.length
  }
  return bytes
}

function differs(stem: string, disk: string): HoldfastError {
  return new HoldfastError('FormatError', `disk ${disk} of ${stem} was mirrored and is another image than here`)
}
