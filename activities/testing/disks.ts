import { MiB } from '../../base/index.ts'

/** Content that differs at every byte offset and for every seed: a byte in the wrong place does not go unnoticed. */
export function pattern(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = (seed * 2654435761) >>> 0
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

/** `pattern` with the given MiB set to zero. */
export function holed(size: number, seed: number, holes: readonly number[]): Uint8Array {
  const bytes = pattern(size, seed)
  for (const hole of holes) bytes.fill(0, hole * MiB, (hole + 1) * MiB)
  return bytes
}
