import type { FileEntry, FileVolume } from '#lib/api/types.ts'
import { formatBytes } from '#lib/format/index.ts'
import { look, type Look } from '#lib/state/tone.ts'

/** What of an open point is looked at; all of it stands in the address of the page. */
export interface Place {
  readonly session: string
  readonly volume: string
  readonly path: string
}

export function volumeLook({ state, isJournalReplayed }: FileVolume): Look {
  if (state === 'files' && !isJournalReplayed) return look('warn', 'Journal not replayed')
  return looks[state]
}

const looks: { readonly [state in FileVolume['state']]: Look } = {
  files: look('ok', 'Files'),
  holder: look('idle', 'Holds other volumes'),
  empty: look('idle', 'Empty'),
  encrypted: look('idle', 'Encrypted', 'lock'),
  unsupported: look('idle', 'Not read here'),
  damaged: look('fail', 'Damaged'),
}

/** `root, ext4, 20.0 GiB on virtio0`. */
export function volumeWords({ label, fileSystem, size, disk }: FileVolume): string {
  const parts = [label, fileSystem, formatBytes(size)].filter((part) => part !== null)
  return `${parts.join(', ')}${disk === null ? '' : ` on ${disk}`}`
}

/** As ls writes it: `rwsr-xr-t`. */
export function modeText(mode: number): string {
  const bits = [...'rwxrwxrwx'].map((letter, n) => ((mode >> (8 - n)) & 1 ? letter : '-'))
  const marks = [
    [0o4000, 2, 's', 'S'],
    [0o2000, 5, 's', 'S'],
    [0o1000, 8, 't', 'T'],
  ] as const
  for (const [bit, at, on, off] of marks) if (mode & bit) bits[at] = bits[at] === 'x' ? on : off
  return bits.join('')
}

/** Folders above and the one itself; the root first, named as its volume. */
export function crumbsOf(volume: string, path: string): readonly { readonly name: string; readonly path: string }[] {
  const names = path.split('/').filter((name) => name !== '')
  return [
    { name: volume, path: '/' },
    ...names.map((name, n) => ({ name, path: `/${names.slice(0, n + 1).join('/')}` })),
  ]
}

export function placeHref({ session, volume, path }: Place): string {
  return `/files/${session}?${new URLSearchParams({ volume, path }).toString()}`
}

/** The same page with a file of it beside. */
export function shownHref(page: string, path: string | null): string {
  const at = new URL(page, 'http://here')
  if (path === null) at.searchParams.delete('file')
  else at.searchParams.set('file', path)
  return `${at.pathname}?${at.searchParams.toString()}`
}

export function contentHref({ session, volume, path }: Place): string {
  return `/api/v1/files/${session}/content?${new URLSearchParams({ volume, path }).toString()}`
}

export function archiveHref(
  { session, volume }: Omit<Place, 'path'>,
  paths: readonly string[],
  format: 'tar' | 'zip',
): string {
  const query = new URLSearchParams({ volume, format })
  for (const path of paths) query.append('path', path)
  return `/api/v1/files/${session}/archive?${query.toString()}`
}

/** What each format of an image is for. */
export const imageWords = {
  qcow2: 'QEMU, libvirt, Proxmox VE. Holes stay holes.',
  raw: 'Every byte of the disk, for any tool; zeros as well.',
  vmdk: 'VMware, stream-optimised and compressed, as an OVF has it.',
  vhdx: 'Hyper-V, dynamic.',
  vhd: 'Older Hyper-V, XenServer; dynamic, 2,040 GiB at most.',
} as const

export function imageHref(session: string, disk: string, format: keyof typeof imageWords): string {
  return `/api/v1/files/${session}/image?${new URLSearchParams({ disk, format }).toString()}`
}

export function exportCommand(
  point: { readonly id: string; readonly vmId: string },
  disk: string,
  format: string,
): string {
  return `holdfast point export ${point.vmId} ${point.id} ${word(`${disk.replaceAll(/[^A-Za-z0-9._-]/g, '-')}.${format}`)} --disk ${word(disk)}`
}

/** The same act on the command line. */
export function takeCommand({ session, volume, path }: Place, paths: readonly string[]): string {
  const places = (paths.length > 0 ? paths : [path]).map((one) => word(`${volume}:${one}`))
  return `holdfast files tar ${session} ${places.join(' ')} -o files.tar`
}

export function restoreCommand(
  { session, volume }: Omit<Place, 'path'>,
  paths: readonly string[],
  to: { readonly kind: 'beside' | 'replace' } | { readonly kind: 'folder'; readonly folder: string },
  confirmName: string,
): string {
  const places = paths.map((one) => word(`${volume}:${one}`))
  const how =
    to.kind === 'folder'
      ? ` --to ${word(to.folder || '/')}`
      : to.kind === 'replace'
        ? ` --replace --confirm ${word(confirmName || 'NAME')}`
        : ''
  return `holdfast files restore ${session} ${places.join(' ')}${how}`
}

export function getCommand({ session, volume, path }: Place): string {
  return `holdfast files get ${session} ${word(`${volume}:${path}`)} -o ${word(nameOf(path))}`
}

/** One word of a shell, whatever is in it. */
function word(text: string): string {
  return /^[A-Za-z0-9._:/+@][A-Za-z0-9._:/+@-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

export function nameOf(path: string): string {
  return path.split('/').at(-1) || '/'
}

export const entryIcons: { readonly [kind in FileEntry['kind']]: 'file' | 'next' | 'disk' | 'unknown' | 'chev' } = {
  ...{ file: 'file', folder: 'chev', link: 'next', fifo: 'unknown', socket: 'unknown', unknown: 'unknown' },
  ...{ 'character-device': 'disk', 'block-device': 'disk' },
}
