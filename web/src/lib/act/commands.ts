/** The same acts on the command line, as the dialogs show them. */

/** A word as a POSIX shell takes it. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

export function backupCommand(vms: readonly string[], full: boolean, name: string, description = ''): string {
  const said = (option: string, text: string): string =>
    vms.length === 1 && text.trim() !== '' ? ` ${option} ${quoted(text.trim())}` : ''
  const words = said('--name', name) + said('--description', description)
  return `holdfast backup ${vms.map(quoted).join(' ')}${full ? ' --full' : ''}${words}`
}

export function drillCommand(vm: string, pointId: string | null): string {
  return `holdfast drill ${quoted(vm)}${pointId ? ` --point ${pointId}` : ''}`
}

export function verifyCommand(repository: string, level: string, quarantine: boolean): string {
  return `holdfast verify ${quoted(repository)} --level ${level}${quarantine ? ' --quarantine' : ''} --watch`
}
