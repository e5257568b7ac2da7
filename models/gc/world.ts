/**
 * The world of the model: thirteen possible packs that hold four chunks, and three snapshots that need them. Small
 * enough to be walked through whole, rich enough for each race of §7–§11: a shared chunk, a chunk that nobody needs
 * any more, a chunk of a backup in progress, its rescue, and a compaction copy.
 */

/** Chunks are numbers; a set of packs is a bit set; a pack name is used once (§3.1), so a deleted bit stays 0. */
export const chunkNames = ['a', 'b', 'x', 'y'] as const
export type Chunk = 0 | 1 | 2 | 3

export const packNames = ['P', 'Q', 'O0', 'O1', 'R0a', 'R0b', 'R0x', 'R1a', 'R1x', 'R1y', 'K0', 'K1', 'K2'] as const
export const packCount = packNames.length

/** The chunk that each pack holds. */
export const chunkOf: readonly Chunk[] = [0, 1, 2, 3, 0, 1, 2, 0, 2, 3, 0, 0, 0]

/** There from the start: P holds a, which the live parent needs; Q holds b, indexed, but needed by no snapshot. */
export const packP = 0
export const packQ = 1
/** `O<writer>`: what each writer uploads in S2. */
export const ownPack = [2, 3] as const
/** `K<collector>`: that collector's compaction copy of P (§9.7). */
export const copyPack = [10, 11, 12] as const

/** Holds a as well, where a configuration starts with two homes: a copy that an earlier run made. */
export const secondHome = 12

/** Snapshots: the manifests of the two writers, then the parent of both. */
export const parent = 2

/** What each snapshot needs. Writer 1 shares x with writer 0: it may deduplicate against a backup in progress. */
export const needs: readonly (readonly Chunk[])[] = [[0, 1, 2], [0, 2, 3], [0]]

/** `R<writer><chunk>`: the pack in which a writer stores a chunk again whose home W2 found unusable (§7.4, 7). */
export function rescuePack(writer: number, chunk: Chunk): number {
  return packNames.findIndex((name) => name === `R${writer}${chunkNames[chunk]}`)
}

/** Own uploads and rescues of a writer: what its index segments name. */
export const ownPacks: readonly (readonly number[])[] = [
  [2, 4, 5, 6],
  [3, 7, 8, 9],
]

/** All packs that can hold a chunk, as a bit set. */
export const holders: readonly number[] = chunkNames.map((_, chunk) =>
  chunkOf.reduce((set: number, held, pack) => (held === chunk ? set | (1 << pack) : set), 0),
)

/** Everything that a snapshot needs could lie in these packs. */
export const holdersOfNeeds: readonly number[] = needs.map((chunks) =>
  chunks.reduce((set: number, chunk) => set | (holders[chunk] ?? 0), 0),
)

/** A bit set of packs as people read it. */
export function packList(set: number): string {
  return `{${packNames.filter((_, pack) => ((set >> pack) & 1) === 1).join(' ')}}`
}
