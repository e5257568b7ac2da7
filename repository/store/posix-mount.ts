import { readFile, realpath, statfs } from 'node:fs/promises'
import { errnoOf } from './posix-errors.ts'

/** What a directory lies on. */
export interface Mount {
  /** As the kernel calls it: `ext4`, `nfs4`, `cifs`, … */
  readonly type: string
  readonly source: string
  /** Of the mount and of its file system, `name` or `name=value`. */
  readonly options: readonly string[]
}

/** The mount that a path lies on, or would lie on; undefined where the system does not say. */
export async function mountOf(path: string): Promise<Mount | undefined> {
  let mountinfo: string
  try {
    mountinfo = await readFile('/proc/self/mountinfo', 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return await magicOf(path)
    throw error
  }
  return findMount(mountinfo, await existingPart(path))
}

/** The innermost mount above `path`; of several on one place the last, which hides the others. */
export function findMount(mountinfo: string, path: string): Mount | undefined {
  let found: { readonly point: string; readonly mount: Mount } | undefined
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , , point, options = ''] = before.split(' ')
    const [type, source, superOptions = ''] = after.split(' ')
    if (point === undefined || type === undefined || source === undefined) continue
    const place = unescape(point)
    if (place !== path && !path.startsWith(place === '/' ? '/' : `${place}/`)) continue
    if (found !== undefined && found.point.length > place.length) continue
    const all = [...new Set([...options.split(','), ...superOptions.split(',')])].filter((option) => option !== '')
    found = { point: place, mount: { type, source: unescape(source), options: all } }
  }
  return found?.mount
}

/** How far listings on it may lag behind what other hosts have written, and what to do about it. */
export interface MountJudgement {
  readonly lagMs: number
  readonly detail: string
}

/** Linux keeps what it knows of a directory for up to so long (nfs(5), acdirmax), unless it is told otherwise. */
const DEFAULT_LAG_MS = 60_000

/**
 * §14.3, precondition 2: a client that remembers directories does not list what another host has just written. Local and
 * cluster file systems do not; NFS and SMB do by default. `undefined`: not known what lies there.
 */
export function judgeMount(mount: Mount | undefined): MountJudgement {
  if (mount === undefined) return { lagMs: 0, detail: 'the system does not say what the directory lies on' }
  const { type, source, options } = mount
  const shown = options.filter((option) =>
    /^(vers|actimeo|ac(reg|dir)m(in|ax)|noac|lookupcache|cache|soft|hard)\b/.test(option),
  )
  const what = [type, `from ${source}`, ...(shown.length > 0 ? [`(${shown.join(', ')})`] : [])].join(' ')
  if (isNfs(type)) {
    if (options.includes('noac') || (hasNoAttributes(options) && options.includes('lookupcache=none'))) {
      return { lagMs: 0, detail: `${what}: directories are not cached` }
    }
    return { lagMs: lagOf(options), detail: `${what}: ${advice('actimeo=0,lookupcache=none', lagOf(options))}` }
  }
  if (isSmb(type)) {
    if (hasNoAttributes(options) && options.includes('cache=none')) {
      return { lagMs: 0, detail: `${what}: directories are not cached` }
    }
    return { lagMs: lagOf(options), detail: `${what}: ${advice('actimeo=0,cache=none', lagOf(options))}` }
  }
  if (type.startsWith('fuse')) return { lagMs: 0, detail: `${what}: what it caches is not known; use it from one host` }
  return { lagMs: 0, detail: what }
}

/** File systems whose directories no other host has a part in; what is not known is none. */
const local = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'f2fs', 'bcachefs', 'zfs', 'jfs', 'tmpfs', 'overlay'])

/** Whether a listing is made by this host's kernel alone. */
export function isLocal(mount: Mount | undefined): boolean {
  return mount !== undefined && local.has(mount.type)
}

function advice(options: string, lagMs: number): string {
  return `another host's objects may be listed ${lagMs / 1000} s late; mount it with ${options}, or use it from one host alone`
}

function hasNoAttributes(options: readonly string[]): boolean {
  return options.includes('actimeo=0') || options.includes('acdirmax=0')
}

function lagOf(options: readonly string[]): number {
  const stated = options.flatMap((option) => /^(?:actimeo|acdirmax)=(\d+)$/.exec(option)?.[1] ?? []).map(Number)
  return stated.length > 0 ? Math.max(1, ...stated) * 1000 : DEFAULT_LAG_MS
}

function isNfs(type: string): boolean {
  return type === 'nfs' || type === 'nfs4'
}

function isSmb(type: string): boolean {
  return type === 'cifs' || type === 'smb3' || type === 'smbfs'
}

/** Kinds of file systems where there is no mountinfo, by the number that statfs(2) gives. */
const magic: { readonly [type: number]: string | undefined } = {
  0x6969: 'nfs',
  0xff534d42: 'cifs',
  0xfe534d42: 'cifs',
  0x517b: 'smbfs',
  0x65735546: 'fuse',
}

async function magicOf(path: string): Promise<Mount | undefined> {
  const { type } = await statfs(await existingPart(path))
  const name = magic[type]
  return name === undefined ? undefined : { type: name, source: path, options: [] }
}

/** The path itself, or the innermost folder of it that is there. */
async function existingPart(path: string): Promise<string> {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
    try {
      return await realpath(at)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || at === '/') throw error
    }
  }
}

/** proc(5): space, tab, line break and backslash are written as three octal digits. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
