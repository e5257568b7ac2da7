/** The same acts on the command line, as the dialogs show them. */

/** A word as a POSIX shell takes it. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** How a backup is wished, as the dialog asks for it. */
export interface BackupWish {
  readonly full: boolean
  readonly stopBefore: boolean
  readonly publish: boolean
  /** null: the VM is not taken over. */
  readonly takeOverFrom: string | null
  /** null: where its plan, or its newest point, says. */
  readonly repositoryId: string | null
  readonly name: string
  readonly description: string
}

export function backupCommand(vms: readonly string[], wish: BackupWish): string {
  const said = (option: string, text: string): string => (text.trim() === '' ? '' : ` ${option} ${quoted(text.trim())}`)
  const words = said('--name', wish.name) + said('--description', wish.description)
  const flags =
    (wish.full ? ' --full' : '') + (wish.stopBefore ? ' --stop-before' : '') + (wish.publish ? ' --publish' : '')
  const taken = wish.takeOverFrom === null ? '' : ` --take-over-from ${quoted(wish.takeOverFrom)}`
  const into = wish.repositoryId === null ? '' : ` --repository ${quoted(wish.repositoryId)}`
  return `holdfast backup ${vms.map(quoted).join(' ')}${into}${flags}${taken}${words}`
}

export function drillCommand(vm: string, pointId: string | null, from: 'disks' | 'repository' = 'disks'): string {
  const how = from === 'repository' ? ' --from repository' : ''
  return `holdfast drill ${quoted(vm)}${pointId ? ` --point ${pointId}` : ''}${how}`
}

/** On the machine of the worker; `folder`: the hypervisor of the platform image where the files lie. */
export function importCommand(
  vm: string,
  folder: { readonly id: string; readonly address: string },
  files: readonly string[],
  repositoryId: string,
): string {
  const where = `--hypervisor ${quoted(folder.id)}${repositoryId === '' ? '' : ` --repository ${quoted(repositoryId)}`}`
  const paths = files.map((file) => quoted(`${folder.address.replace(/\/$/, '')}/${file}`))
  return `holdfast point import --vm ${quoted(vm)} ${where} ${paths.join(' ')}`
}

export function verifyCommand(repository: string, level: string, quarantine: boolean): string {
  return `holdfast verify ${quoted(repository)} --level ${level}${quarantine ? ' --quarantine' : ''} --watch`
}

export function joinCommand(plan: string, vms: readonly string[]): string {
  return `holdfast plans join ${quoted(plan)} ${vms.map(quoted).join(' ')}`
}

/** A point that can be held, and whose it is. */
export interface Holdable {
  readonly id: string
  readonly vmId: string
  readonly vmName: string
  readonly createdMs: number
}

/** A command holds one point: of several it is one line each. */
export function holdCommand(
  points: readonly Pick<Holdable, 'id' | 'vmId'>[],
  type: 'pin' | 'legal',
  reason: string,
): string {
  const why = quoted(reason.trim() === '' ? 'WHY' : reason.trim())
  return points
    .map(({ id, vmId }) => `holdfast point ${type === 'legal' ? 'hold' : 'pin'} ${quoted(vmId)} ${id} --reason ${why}`)
    .join(' && ')
}
