/** The same acts on the command line, as the dialogs show them. */

/** A word as a POSIX shell takes it. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

export function backupCommand(vms: readonly string[], full: boolean, name: string): string {
  const one = vms.length === 1 && name.trim() !== '' ? ` --name ${quoted(name.trim())}` : ''
  return `holdfast backup ${vms.map(quoted).join(' ')}${full ? ' --full' : ''}${one}`
}

export function drillCommand(vm: string, pointId: string | null): string {
  return `holdfast drill ${quoted(vm)}${pointId ? ` --point ${pointId}` : ''}`
}
