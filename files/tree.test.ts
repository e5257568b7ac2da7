import { describe, expect, test } from 'vitest'
import { byteName, type ByteName } from './names.ts'
import type { SftpClient } from './sftp/client.ts'
import { HoldfastError } from '../base/index.ts'
import { FileTree, matcher } from './tree.ts'
import { Archive } from './archive.ts'
import type { ArchiveFormat } from './types.ts'
import type { Attributes, FileKind } from './sftp/codec.ts'

interface Node {
  readonly kind: FileKind
  readonly size?: number
  readonly target?: string
}

const of = ({ kind, size = 0 }: Node): Attributes => {
  return { kind, size, mode: 0o644, uid: 0, gid: 0, modifiedSeconds: 0 }
}

/** A file system in memory by full paths; asked for a path through a link or “..”, it fails the test. */
function tree(nodes: { readonly [path: string]: Node }, broken: readonly string[] = []): FileTree {
  const get = (path: ByteName): Node => {
    expect(path).not.toMatch(/\/\.\.?(\/|$)/)
    const parents = path.split('/').slice(0, -1)
    parents.forEach((_, n) => expect(nodes[parents.slice(0, n + 1).join('/')]?.kind).not.toBe('link'))
    const node = nodes[path]
    if (node === undefined) throw new HoldfastError('NotFound', `no ${path}`)
    return node
  }
  const fake = {
    lstat: async (path: ByteName) => of(get(path)),
    readlink: async (path: ByteName) => byteName(Buffer.from(get(path).target ?? '')),
    async *readdir(path: ByteName) {
      get(path)
      if (broken.includes(path)) throw new HoldfastError('SourceReadFailed', 'the file system does not give it')
      const names = Object.keys(nodes).filter(
        (one) => one.startsWith(`${path}/`) && !one.slice(path.length + 1).includes('/'),
      )
      for (const one of names) yield [{ name: one.slice(path.length + 1) as ByteName, ...of(nodes[one] as Node) }]
    },
    async *read(path: ByteName, start: number, end: number) {
      get(path)
      if (broken.includes(path)) throw new HoldfastError('SourceReadFailed', 'the file system does not give it')
      yield Buffer.alloc(end - start, 'x')
    },
  }
  return new FileTree(fake as unknown as SftpClient, '/vol/v' as ByteName)
}

const usual = {
  '/vol/v': { kind: 'folder' },
  '/vol/v/etc': { kind: 'folder' },
  '/vol/v/etc/hostname': { kind: 'file', size: 5 },
  '/vol/v/etc/Hosts': { kind: 'file', size: 7 },
  '/vol/v/var': { kind: 'folder' },
  '/vol/v/var/run': { kind: 'link', target: '/etc' },
  '/vol/v/var/up': { kind: 'link', target: '../../../../etc/./hostname' },
  '/vol/v/loop': { kind: 'link', target: 'loop' },
  '/vol/v/none': { kind: 'link', target: '/proc/version' },
  '/vol/v/pipe': { kind: 'fifo' },
} as const satisfies { [path: string]: Node }

describe('a link', () => {
  test('is followed from the root of its volume, however many “..” it has', async () => {
    const files = tree(usual)
    expect((await files.list('/var/run', 0, 10)).items.map(({ path }) => path)).toEqual(['/etc/hostname', '/etc/Hosts'])
    expect((await files.find('/var/up', 'follow')).segments).toEqual(['etc', 'hostname'])
  })

  test('to itself, or out of the volume, leads nowhere', async () => {
    await expect(tree(usual).find('/loop', 'follow')).rejects.toMatchObject({ code: 'InvalidRequest' })
    await expect(tree(usual).find('/none', 'follow')).rejects.toMatchObject({ code: 'NotFound' })
  })

  test('is told as itself', async () => {
    expect(await tree(usual).stat('/var/run')).toMatchObject({ kind: 'link', target: '/etc', path: '/var/run' })
  })
})

describe('a folder', () => {
  test('comes in pages, folders first', async () => {
    const first = await tree(usual).list('/', 0, 3)
    expect(first.items.map(({ name }) => name)).toEqual(['etc', 'var', 'loop'])
    expect(first).toMatchObject({ next: 3, total: 5, isComplete: true })
    expect((await tree(usual).list('/', 3, 3)).items.map(({ name }) => name)).toEqual(['none', 'pipe'])
  })

  test('that is none, and a pipe, are not opened', async () => {
    await expect(tree(usual).list('/pipe', 0, 1)).rejects.toMatchObject({ code: 'InvalidRequest' })
    const files = tree(usual)
    const pipe = await files.find('/pipe', 'follow')
    expect(() => files.content(pipe, 0, 1)).toThrow(/no plain file/)
  })
})

/** Names as only a file system that is made up has them. */
function saying(...batches: readonly (readonly { readonly name: string; readonly kind: FileKind }[])[]): FileTree {
  const files = tree(usual)
  const left = { returned: 0 }
  return Object.assign(files, {
    left,
    async *names(segments: readonly ByteName[]) {
      if (segments.length > 1) return
      try {
        for (const batch of batches) yield batch.map(({ name, kind }) => ({ ...of({ kind }), name: name as ByteName }))
      } finally {
        left.returned += 1
      }
    },
  })
}

describe('a folder of hostile names', () => {
  test('is held as its bytes, and only so many of them', async () => {
    const name = (n: number): string => String(n).padStart(6, '0') + '\xff'.repeat(1_000)
    const batch = (from: number) =>
      Array.from({ length: 1_000 }, (_, n) => ({ name: name(from + n), kind: 'file' as const }))
    const files = saying(...Array.from({ length: 20 }, (_, n) => batch(n * 1_000)))
    const page = await files.list('/etc', 0, 2)
    expect(page).toMatchObject({ isComplete: false, total: 9_000, next: 2 })
    expect(page.items[1]?.path).toBe(`/etc/000001${String.raw`\xff`.repeat(1_000)}`)
  })

  test('ends a search when what it found is too much text', async () => {
    const batch = Array.from({ length: 900 }, (_, n) => ({ name: n + '\xff'.repeat(1_000), kind: 'file' as const }))
    const found = await saying(batch).search('/etc', '*')
    expect(found.isComplete).toBe(false)
    expect(found.items.length).toBeLessThan(600)
  })
})

describe('a search', () => {
  test('looks below a folder, case left aside, and follows no link', async () => {
    const found = await tree(usual).search('/', 'HOST')
    expect(found.items.map(({ path }) => path).sort()).toEqual(['/etc/Hosts', '/etc/hostname'])
    expect(found).toMatchObject({ isComplete: true, unreadable: 0 })
    expect((await tree(usual).search('/', 'h*s')).items.map(({ name }) => name)).toEqual(['Hosts'])
  })

  test('goes on behind a folder that cannot be read, and says so', async () => {
    const found = await tree(usual, ['/vol/v/etc']).search('/', 'run')
    expect(found).toMatchObject({ isComplete: false, unreadable: 1 })
    expect(found.items.map(({ name }) => name)).toEqual(['run'])
  })

  test('ends at its bounds', async () => {
    const found = await tree(usual).search('/', '*', { results: 2, names: 100, ms: 1_000 })
    expect(found).toMatchObject({ isComplete: false, items: [{}, {}] })
  })

  test('has patterns that cost no more than name times pattern', () => {
    const begun = performance.now()
    expect(matcher(`${'*a'.repeat(80)}b`)('a'.repeat(1_000))).toBe(false)
    expect(performance.now() - begun).toBeLessThan(1_000)
    expect(matcher('a?c*')('abcdef')).toBe(true)
    expect(matcher('*')('')).toBe(true)
  })
})

describe('an archive', () => {
  const archived = async (
    files: FileTree,
    paths: readonly string[],
    format: ArchiveFormat = 'tar',
  ): Promise<{ text: string; archive: Archive }> => {
    const archive = new Archive(files, format)
    const roots = await Promise.all(paths.map((path) => files.find(path, 'keep')))
    const parts: Buffer[] = []
    for await (const part of archive.stream(roots, new AbortController().signal)) parts.push(part)
    return { text: Buffer.concat(parts).toString('latin1'), archive }
  }

  test('has what is below, links as links, and one name once', async () => {
    const { text, archive } = await archived(tree(usual), ['/var', '/etc/hostname', '/etc'])
    expect(archive.figures).toEqual({ members: 7, bytes: 17, unreadable: 0 })
    for (const name of ['var/run\0', 'etc/Hosts\0', 'hostname\0']) expect(text).toContain(name)
    expect(text).not.toContain('HOLDFAST-UNREADABLE')
  })

  test('is filled up and tells what is missing where a file cannot be read', async () => {
    const { text, archive } = await archived(tree(usual, ['/vol/v/etc/hostname']), ['/etc'])
    expect(archive.figures.unreadable).toBe(1)
    expect(text).toContain('HOLDFAST-UNREADABLE.txt\0')
    expect(text).toContain('/etc/hostname\tthe file system does not give it\n')
    expect(text.length % 512).toBe(0)
  })

  test('takes a name that a folder has as a link once, and leaves out what it has besides', async () => {
    const twice = [
      { name: 'x', kind: 'link' as const },
      { name: 'x', kind: 'folder' as const },
    ]
    const files = Object.assign(saying(twice), { readlink: () => Promise.resolve('/etc' as ByteName) })
    const { text, archive } = await archived(files, ['/etc'])
    expect(archive.figures).toMatchObject({ members: 2, unreadable: 1 })
    expect(text).toContain('/etc/x\tthe folder names it twice\n')
  })

  test('as zip leaves out what desktops take for a link that is there, and what has the name of its list', async () => {
    const alike = tree({
      '/vol/v': { kind: 'folder' },
      '/vol/v/HOLDFAST-Unreadable.txt': { kind: 'link', target: '/home/u/.profile' },
      '/vol/v/X': { kind: 'link', target: '/home/u' },
      '/vol/v/x': { kind: 'folder' },
      '/vol/v/x/y': { kind: 'file', size: 1 },
    })
    const { text, archive } = await archived(alike, ['/'], 'zip')
    expect(archive.figures).toMatchObject({ members: 2, unreadable: 2 })
    expect(text).not.toContain('x/y')
    expect(text).not.toContain('.profile')
    expect((await archived(alike, ['/'])).archive.figures).toMatchObject({ members: 4, unreadable: 1 })
  })

  test('as zip gives two names that desktops take for one each a name of its own, also where they were asked for', async () => {
    const alike = tree({
      '/vol/v': { kind: 'folder' },
      '/vol/v/a': { kind: 'folder' },
      '/vol/v/a/Report': { kind: 'link', target: '/home/u' },
      '/vol/v/b': { kind: 'folder' },
      '/vol/v/b/report': { kind: 'folder' },
      '/vol/v/b/report/y': { kind: 'file', size: 1 },
      '/vol/v/holdfast-unreadable.TXT': { kind: 'file', size: 1 },
    })
    const paths = ['/a/Report', '/b/report', '/holdfast-unreadable.TXT']
    const { text } = await archived(alike, paths, 'zip')
    for (const name of ['Report', 'report.2/y', 'holdfast-unreadable.TXT.2']) expect(text).toContain(name)
    expect(text).not.toContain('report/y')
    // A tar is unpacked where names are bytes.
    expect((await archived(alike, paths)).text).toContain('report/y\0')
  })

  test('lets go of a folder when its reader has left', async () => {
    const files = saying([{ name: 'pipe', kind: 'fifo' }])
    const stream = new Archive(files, 'tar').stream([await files.find('/etc', 'keep')], new AbortController().signal)
    for (let n = 0; n < 2; n++) await stream.next()
    await stream.return()
    expect(files).toMatchObject({ left: { returned: 1 } })
  })

  test('as zip ends with an error, too, when the machine is gone or its reader leaves', async () => {
    const files = saying([{ name: 'pipe', kind: 'fifo' }])
    const stream = new Archive(files, 'zip').stream([await files.find('/etc', 'keep')], new AbortController().signal)
    await stream.next()
    await stream.return()
    const gone = Object.assign(tree(usual), {
      content: () => {
        throw new HoldfastError('HypervisorRefused', 'the micro-VM has ended')
      },
    })
    const broken = new Archive(gone, 'zip').stream([await gone.find('/etc', 'keep')], new AbortController().signal)
    await expect(Array.fromAsync(broken)).rejects.toMatchObject({ code: 'HypervisorRefused' })
  })

  test('ends with an error when the machine is gone', async () => {
    const files = tree(usual)
    Object.assign(files, {
      names: () => {
        throw new HoldfastError('HypervisorRefused', 'the micro-VM has ended')
      },
    })
    await expect(archived(files, ['/etc'])).rejects.toMatchObject({ code: 'HypervisorRefused' })
  })
})
