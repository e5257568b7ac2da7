/** Lower-case letters, digits and hyphens, at most 48 characters, never empty: safe in ids, paths and workflow ids. */
export function slugOf(name: string): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48)
    .replace(/-+$/, '')
  return plain === '' ? 'unnamed' : plain
}

/** `slug`, or `slug-2`, `slug-3`… : the first that `isTaken` denies. */
export function uniqueSlug(name: string, isTaken: (slug: string) => boolean): string {
  const slug = slugOf(name)
  for (let n = 1; ; n += 1) {
    const candidate = n === 1 ? slug : `${slug}-${n}`
    if (!isTaken(candidate)) return candidate
  }
}
