import { HoldfastError } from '../../base/index.ts'
import { plainText, type FileEntry, type FileGateway } from '../../files/index.ts'
import type { GuestShell } from './guest-shell.ts'
import type { FilesToGuest, FilesToGuestPlan } from './types.ts'

/** Every mount of the file system with this UUID: the folder of it that is mounted, and where. Blanks are `\040` in both. */
const mountsOf = `while read -r _ _ _ root dir rest; do
  src=\${rest#* - }; src=\${src#* }; src=\${src%% *}
  case "$src" in /dev/*) ;; *) continue ;; esac
  case "$(blkid "$src" 2>/dev/null)" in *" UUID=\\"$1\\""*) printf '%s %s\\n' "$root" "$dir" ;; esac
done < /proc/self/mountinfo`

interface Mount {
  readonly root: string
  readonly dir: string
}

export async function planPlaces(
  files: FileGateway,
  shell: GuestShell,
  input: FilesToGuest,
  signal: AbortSignal,
): Promise<FilesToGuestPlan> {
  const { session, volume, paths, place } = input
  const entries = []
  for (const path of paths) entries.push(await files.ask(session, { what: 'stat', volume, path }, signal))
  const mounts = place.kind === 'folder' ? [] : await mountsIn(files, shell, input, signal)
  const targets = entries.map((entry) => targetOf(entry, mounts, input))
  if (new Set(targets).size !== targets.length)
    throw new HoldfastError('InvalidRequest', 'two of them would get the same name', {
      hint: 'Restore them one after the other.',
    })
  for (const [n, target] of targets.entries()) await requirePlace(shell, target, entries[n], input)
  const tag = input.operation.slice(0, 16)
  const places = new Map<string, Place>()
  for (const folder of new Set(targets.map((target) => folderOf(target) || '/')))
    places.set(folder, readPlace(await shell.must(placeOf, [folder])))
  const of = (target: string): Place => places.get(folderOf(target) || '/') ?? { folder: '/', safe: '' }
  const staged = targets.map((target, n) => {
    const { folder, safe } = of(target)
    return `${(safe || folder).replace(/\/$/, '')}/.holdfast-${tag}-${n}`
  })
  return { targets, folders: targets.map((target) => of(target).folder), staged }
}

interface Place {
  /** Without links on its way. */
  readonly folder: string
  /** The lowest folder above on its file system that nobody but root may change, all the way from `/`; empty: none. */
  readonly safe: string
}

function readPlace(text: string): Place {
  const end = text.indexOf('\n')
  return { safe: text.slice(0, end), folder: text.slice(end + 1) }
}

/**
 * Of a folder that may not be there yet. In one with the sticky bit nobody renames what is root's. Without `stat` or `df` in
 * the guest nothing is known to be safe.
 */
const placeOf = `p=$1; rest=
while [ ! -d "$p" ]; do rest="/\${p##*/}$rest"; p=\${p%/*}; [ -n "$p" ] || p=/; done
cd -P -- "$p" && r=$(pwd -P) || exit 1
mount() { m=$(df -P -- "$1" 2>/dev/null | tail -n 1); printf '%s' "\${m#*% }"; }
own=$(mount "$r"); safe=; d=/
while :; do
  case "$(stat -c '%u %a' -- "$d" 2>/dev/null)" in '0 '*[0145][0145] | '0 '[1357]???) ;; *) break ;; esac
  [ -n "$own" ] && [ "$(mount "$d")" = "$own" ] && safe=$d
  [ "$d" = "$r" ] && break
  s=\${r#"$d"}; s=\${s#/}; d=\${d%/}/\${s%%/*}
done
[ -n "$rest" ] && [ "$r" = / ] && r=
printf '%s\n%s' "$safe" "$r$rest"`

async function mountsIn(
  files: FileGateway,
  shell: GuestShell,
  { session, volume }: FilesToGuest,
  signal: AbortSignal,
): Promise<readonly Mount[]> {
  const found = (await files.ask(session, { what: 'volumes' }, signal)).find(({ id }) => id === volume)
  const mounts = found?.uuid ? readMounts(await shell.must(mountsOf, [found.uuid])) : []
  if (mounts.length > 0) return mounts
  throw new HoldfastError(
    'NotFound',
    `the file system of ${volume} is not mounted in the guest, or cannot be told apart there`,
    {
      hint: 'Name a folder of the guest: --to /some/folder.',
    },
  )
}

/** Exported for its test. */
export function readMounts(text: string): readonly Mount[] {
  const plain = (part: string): string =>
    Buffer.from(
      part.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    ).toString('utf8')
  return text.split('\n').flatMap((line) => {
    const [root, dir] = line.split(' ')
    return root === undefined || dir === undefined || dir === '' ? [] : [{ root: plain(root), dir: plain(dir) }]
  })
}

/** Where a path of the volume is in the guest: under the mount that shows most of its way. Null: no mount shows it. */
export function guestPath(path: string, mounts: readonly Mount[]): string | null {
  const shows = mounts
    .filter(({ root }) => root === '/' || path === root || path.startsWith(`${root}/`))
    .toSorted((a, b) => b.root.length - a.root.length || a.dir.length - b.dir.length)[0]
  if (shows === undefined) return null
  const below = shows.root === '/' ? path : path.slice(shows.root.length)
  return `${shows.dir === '/' ? '' : shows.dir}${below}`
}

function targetOf(entry: FileEntry, mounts: readonly Mount[], { place, stampMs }: FilesToGuest): string {
  const path = plainText(entry.path)
  const name = path?.split('/').at(-1)
  if (path === null || name === undefined)
    throw new HoldfastError('Unsupported', `the guest’s agent cannot be told the name ${entry.path}`, {
      hint: 'Take it as a tar, and unpack that in the guest.',
    })
  if (name === '' || !['file', 'folder', 'link'].includes(entry.kind))
    throw new HoldfastError(
      'InvalidRequest',
      `${entry.path} is ${name === '' ? 'a whole volume' : `a ${entry.kind}`}`,
      {
        hint: 'Files, folders and links are restored into a guest; name those.',
      },
    )
  if (place.kind === 'folder') return `${place.folder.replace(/\/+$/, '')}/${name}`
  const there = guestPath(path, mounts)
  if (there === null)
    throw new HoldfastError('NotFound', `the guest has nothing mounted where ${entry.path} was`, {
      hint: 'Name a folder of the guest: --to /some/folder.',
    })
  if (place.kind === 'beside') return `${there}.restored-${stamp(stampMs)}`
  if (entry.kind === 'folder')
    throw new HoldfastError('InvalidRequest', `${entry.path} is a folder: only files and links are replaced`, {
      hint: 'Restore it beside the one that is there, and choose in the guest.',
    })
  return there
}

/** 20261122T1927, UTC. */
export function stamp(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replaceAll(/[-:]/g, '')
}

async function requirePlace(
  shell: GuestShell,
  target: string,
  entry: FileEntry | undefined,
  { place }: FilesToGuest,
): Promise<void> {
  const look = 'if [ -d "$1" ]; then echo folder; elif [ -e "$1" ] || [ -L "$1" ]; then echo there; fi'
  const now = (await shell.must(look, [target])).trim()
  if (place.kind !== 'replace' && now !== '')
    throw new HoldfastError('InvalidRequest', `there is ${target} in the guest already`, {
      hint: 'Choose another folder, or a minute later.',
    })
  if (place.kind === 'replace' && now === 'folder')
    throw new HoldfastError('InvalidRequest', `${target} is a folder in the guest, and ${entry?.path ?? ''} is none`)
  if (place.kind === 'folder') return
  if ((await shell.must(look, [folderOf(target) || '/'])).trim() !== 'folder')
    throw new HoldfastError('NotFound', `the guest has no folder ${folderOf(target)} any more`, {
      hint: 'Name another one: --to /some/folder.',
    })
}

export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
