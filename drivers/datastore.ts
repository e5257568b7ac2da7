import { readFile, realpath } from 'node:fs/promises'

const networked = /^(nfs|nfs4|cifs|smb3|ceph|glusterfs|fuse\.[a-z-]+)$/
/** Space, tab, newline and backslash are written as octal. */
const octal = /\\([0-7]{3})/g

interface Mount {
  readonly folder: string
  readonly type: string
  readonly source: string
}

/**
 * Under which name the storage that a file lies on has slots: of a network file system what it is mounted from, which is the
 * same for every host; of any other one the hypervisor and where it is mounted. Undefined where that cannot be told.
 */
export async function datastoreOf(
  endpoint: string,
  file: string,
  table = '/proc/self/mountinfo',
): Promise<string | undefined> {
  let path: string
  let text: string
  try {
    path = await realpath(file)
    text = await readFile(table, 'utf8')
  } catch {
    // A file that is gone, or a host without this table: the disk has no name for its storage, and no limit by it.
    return undefined
  }
  const mounts = text.split('\n').flatMap(mountOf)
  const holds = ({ folder }: Mount): boolean => folder === '/' || path === folder || path.startsWith(`${folder}/`)
  // Of two in the same place the later one hides the earlier.
  const mount = mounts
    .filter(holds)
    .toSorted((a, b) => a.folder.length - b.folder.length)
    .at(-1)
  if (mount === undefined) return undefined
  if (networked.test(mount.type)) return named(mount.source)
  return named(`${endpoint}.${mount.folder === '/' ? 'root' : mount.folder.slice(1)}`)
}

function mountOf(line: string): Mount[] {
  const [head = '', tail = ''] = line.split(' - ')
  const folder = head.split(' ')[4]
  const [type, source] = tail.split(' ')
  if (folder === undefined || type === undefined || source === undefined) return []
  const plain = (text: string): string =>
    text.replace(octal, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)))
  return [{ folder: plain(folder), type, source: plain(source) }]
}

/** As ids of resources are written. */
function named(text: string): string | undefined {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 100)
  return name === '' ? undefined : name
}
