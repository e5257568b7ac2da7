import { closeSync, openSync, readFileSync, readSync, readdirSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'

function packFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

export function packs(folder: string): number {
  return packFiles(folder).length
}

/** Number of packs once it has not changed for two seconds. */
export async function quietSince(folder: string): Promise<number> {
  for (let last = packs(folder); ;) {
    await sleep(2_000)
    const now = packs(folder)
    if (now === last) return now
    last = now
  }
}

export function largestPack(folder: string): string {
  const sorted = packFiles(folder).sort((a, b) => statSync(b).size - statSync(a).size)
  const [largest] = sorted
  if (!largest) throw new Error(`no packs in ${folder}`)
  return largest
}

export function flipByte(file: string, at: number): { undo: () => void } {
  const fd = openSync(file, 'r+')
  const byte = Buffer.alloc(1)
  readSync(fd, byte, 0, 1, at)
  writeSync(fd, Buffer.from([(byte[0] ?? 0) ^ 0x40]), 0, 1, at)
  closeSync(fd)
  return {
    undo: () => {
      const again = openSync(file, 'r+')
      writeSync(again, byte, 0, 1, at)
      closeSync(again)
      expect(readFileSync(file).subarray(at, at + 1)).toEqual(byte)
    },
  }
}
