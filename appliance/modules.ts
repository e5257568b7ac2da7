/** What depmod(8) writes: paths are relative to `lib/modules/<version>`. */
export interface ModuleTables {
  /** `modules.dep`: `kernel/fs/xfs/xfs.ko: kernel/lib/libcrc32c.ko …` */
  readonly dep: string
  /** `modules.softdep`: `softdep btrfs pre: crc32c pre: xxhash64 …` */
  readonly softdep: string
  /** `modules.alias`: `alias crypto-xxhash64 xxhash_generic` */
  readonly alias: string
  /** `modules.builtin`: modules that are part of the kernel itself. */
  readonly builtin: string
}

/**
 * Paths of all modules that `wanted` needs, soft dependencies and what those are aliases for included, sorted. A name
 * that is built in needs nothing. Throws a plain Error naming a wanted module that does not exist.
 */
export function moduleClosure(tables: ModuleTables, wanted: readonly string[]): string[] {
  const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const byName = new Map<string, { path: string; needs: string[] }>()
  for (const line of lines(tables.dep)) {
    const [path = '', needs = ''] = line.split(':')
    byName.set(nameOf(path), { path, needs: needs.trim().split(/\s+/).filter(Boolean) })
  }
  const builtin = new Set(lines(tables.builtin).map(nameOf))
  const soft = new Map<string, string[]>()
  for (const line of lines(tables.softdep)) {
    const [, module = '', ...rest] = line.trim().split(/\s+/)
    const key = normal(module)
    soft.set(key, [...(soft.get(key) ?? []), ...rest.filter((word) => !word.endsWith(':'))])
  }
  const aliases = new Map<string, string[]>()
  for (const line of lines(tables.alias)) {
    const [, alias = '', module = ''] = line.trim().split(/\s+/)
    aliases.set(alias, [...(aliases.get(alias) ?? []), normal(module)])
  }
  const found = new Set<string>()
  const visit = (name: string, optional: boolean): void => {
    const key = normal(name)
    const module = byName.get(key)
    if (module === undefined) {
      const others = aliases.get(name) ?? aliases.get(`crypto-${name}`)
      for (const other of others ?? []) visit(other, true)
      if (others === undefined && !builtin.has(key) && !optional) throw new Error(`the kernel has no module ${name}`)
      return
    }
    if (found.has(module.path)) return
    found.add(module.path)
    for (const need of module.needs) visit(nameOf(need), false)
    for (const need of soft.get(key) ?? []) visit(need, true)
  }
  for (const name of wanted) visit(name, false)
  return [...found].sort()
}

/** `kernel/fs/xfs/xfs.ko.xz` → `xfs`; the kernel takes `-` and `_` for the same. */
function nameOf(path: string): string {
  return normal((path.split('/').at(-1) ?? '').replace(/\.ko(\.(xz|zst|gz))?$/, ''))
}

function normal(name: string): string {
  return name.replaceAll('-', '_')
}
