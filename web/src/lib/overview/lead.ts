export interface LeadPart {
  readonly text: string
  /** Where a name leads; null: words. */
  readonly href: string | null
}

/** The lead with links in the place of the VMs that it names. */
export function leadParts(lead: string, vms: readonly { readonly id: string; readonly name: string }[]): LeadPart[] {
  let rest = lead
  const parts: LeadPart[] = []
  for (const { id, name } of vms) {
    const at = rest.indexOf(name)
    if (at < 0) continue
    parts.push({ text: rest.slice(0, at), href: null }, { text: name, href: `/vms/${encodeURIComponent(id)}` })
    rest = rest.slice(at + name.length)
  }
  return [...parts, { text: rest, href: null }].filter(({ text }) => text !== '')
}
