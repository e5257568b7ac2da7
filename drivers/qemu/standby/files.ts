import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../../../base/index.ts'
import { isReplicaFile, pinFile, readPinFile, readTakeoverFile } from '../../names.ts'
import type { OpContext } from '../../driver.ts'
import { runProgram } from '../../transport/index.ts'
import type { OpKey } from '../../values.ts'
import { resolveFile } from '../description.ts'
import type { Host } from '../host.ts'
import { derivedUuid } from '../target/index.ts'
import { listVms } from '../vm.ts'
import { requireStandby, type Standby, type Volumes } from './record.ts'

/** A test makes its VM within seconds of its pin; one that has made none for so long has died. */
const longestUnusedPinMs = 10 * 60_000

export function uppermost({ chain }: Volumes): string {
  const file = chain.at(-1)
  if (file === undefined) throw new HoldfastError('Internal', 'a volume of a standby has no file')
  return file
}

/** Changes with every write to the file, and with the file. */
export async function printOf(dir: string, file: string): Promise<string> {
  const { ino, size, mtimeNs } = await stat(join(dir, file), { bigint: true })
  return `${ino}:${size}:${mtimeNs}`
}

/** The head is not what it was when it came whole. */
export async function isTouched({ vm, record: { head } }: Standby): Promise<boolean> {
  if (head === null) return false
  for (const [n, one] of head.volumes.entries()) {
    try {
      if ((await printOf(vm.dir, uppermost(one))) !== head.prints[n]) return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
      throw error
    }
  }
  return false
}

/** It has its name when it is whole, and never replaces one that is there: a guest may write to that already. */
export async function makeOverlay(
  host: Host,
  ctx: OpContext,
  dir: string,
  name: string,
  below: string | null,
  size: number,
): Promise<void> {
  const file = join(dir, name)
  if (existsSync(file)) return
  await host.effects.run('program: qemu-img create', async () => {
    const draft = `${file}.${randomUUID()}.new`
    const backing = below === null ? [] : ['-b', below, '-F', 'qcow2']
    try {
      await runProgram('qemu-img', ['create', '-q', '-f', 'qcow2', ...backing, draft, String(size)], {
        signal: ctx.signal,
      })
      await link(draft, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      await rm(draft, { force: true })
    }
  })
}

/**
 * Volumes that belong to no state any more go, unless a test runs on some of them. What a guest has written that took over
 * goes only when its takeover is over.
 */
export async function dropStale(host: Host, ctx: OpContext): Promise<void> {
  const { vm } = await requireStandby(host, ctx.opKey)
  // In this order: what is made after the names were read is not among them, what was made before is in the record, and
  // a test reads the record after it has made its pin.
  const names = await readdir(vm.dir)
  const { record } = await requireStandby(host, ctx.opKey)
  if (await isPinned(host, ctx, vm.dir)) return
  const parts = [record.head, record.next].flatMap((one) =>
    one === null ? [] : [...one.volumes.flatMap(({ chain }) => chain), one.description.kernel, one.description.initrd],
  )
  const kept = new Set([...parts, ...(record.takeover?.volumes.flatMap(({ chain }) => chain) ?? [])])
  const over = new Set<string>(record.over)
  for (const name of names) {
    if (!isReplicaFile(ctx.opKey, name) || kept.has(name)) continue
    const takeover = readTakeoverFile(ctx.opKey, name)
    if (takeover !== null && !over.has(takeover)) continue
    try {
      await host.effects.run('file: remove volume', () => rm(join(vm.dir, name), { force: true }))
    } catch (error) {
      ctx.log.warn({ file: resolveFile(vm.dir, name), error }, 'a volume of an earlier state could not be removed')
    }
  }
}

/** By a test whose VM is there, or is being made. Pins of tests that have died go. */
async function isPinned(host: Host, ctx: OpContext, dir: string): Promise<boolean> {
  const tests = (await readdir(dir)).flatMap((name) => readPinFile(ctx.opKey, name) ?? [])
  if (tests.length === 0) return false
  const there = new Set<string>()
  for await (const found of listVms(host)) {
    // It might be one of them.
    if ('error' in found) return true
    there.add(found.vm.description.uuid)
  }
  let pinned = false
  for (const test of tests) {
    if (there.has(derivedUuid(test)) || (await isYoung(join(dir, pinFile(ctx.opKey, test)), ctx))) pinned = true
    else await removePin(host, dir, ctx.opKey, test)
  }
  return pinned
}

async function isYoung(pin: string, ctx: OpContext): Promise<boolean> {
  try {
    return Date.parse(ctx.now()) - (await stat(pin)).mtimeMs < longestUnusedPinMs
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

export async function removePin(host: Host, dir: string, opKey: OpKey, test: OpKey): Promise<void> {
  await host.effects.run('file: remove pin', () => rm(join(dir, pinFile(opKey, test)), { force: true }))
}
