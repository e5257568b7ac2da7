/** What statfs(2) calls ext2 to 4 and XFS. Over a network, or where data is copied on writing, it is slower or not kept. */
const suited: ReadonlySet<number> = new Set([0xef53, 0x58465342])

/**
 * Whether files of this file system are written past the page cache (`O_DIRECT`) where nobody reads them soon (ADR 0405).
 * `type`: as `statfs` gives it.
 */
export function suitsDirectWrites({ type }: { readonly type: number }): boolean {
  return suited.has(type)
}
