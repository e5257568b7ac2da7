import { expect, it } from 'vitest'
import { findMount, isLocal, judgeMount } from './posix-mount.ts'

/** Lines as proc(5) and nfs(5) describe them. */
const mountinfo = [
  '22 28 0:21 / /proc rw,nosuid - proc proc rw',
  '28 1 259:1 / / rw,relatime - ext4 /dev/root rw',
  '90 28 0:52 / /srv/nfs rw,relatime - nfs4 nas:/export/vms rw,vers=4.2,rsize=1048576,hard,proto=tcp,local_lock=none',
  '91 28 0:53 / /srv/careful rw,relatime - nfs4 nas:/export/vms rw,vers=4.2,acregmin=0,acregmax=0,acdirmin=0,acdirmax=0,lookupcache=none,hard',
  '92 28 0:54 / /srv/smb\\040share rw,relatime - cifs //nas/backup rw,vers=3.1.1,cache=strict,actimeo=1',
  '93 28 0:55 / /srv/smb0 rw - cifs //nas/backup rw,vers=3.1.1,cache=none,actimeo=0',
  '94 28 0:56 / /srv/ssh rw - fuse.sshfs me@host:/ rw,user_id=0',
  '95 28 0:57 / /srv/nfs rw - nfs 10.0.0.9:/new rw,vers=3,noac,hard',
].join('\n')

it('finds the innermost mount, and of two on one place the one on top', () => {
  expect(findMount(mountinfo, '/home/x')?.type).toBe('ext4')
  expect(findMount(mountinfo, '/srv/nfsother')?.type).toBe('ext4')
  expect(findMount(mountinfo, '/srv/nfs/repo')).toMatchObject({ type: 'nfs', source: '10.0.0.9:/new' })
  expect(findMount(mountinfo, '/srv/smb share')).toMatchObject({ type: 'cifs', source: '//nas/backup' })
})

it('knows how long each may show another host an old directory', () => {
  const at = (path: string, lines = mountinfo) => judgeMount(findMount(lines, path))
  const withoutTop = mountinfo.slice(0, mountinfo.lastIndexOf('\n'))
  expect(at('/')).toEqual({ lagMs: 0, detail: 'ext4 from /dev/root' })
  expect(at('/srv/nfs', withoutTop).lagMs).toBe(60_000)
  expect(at('/srv/nfs', withoutTop).detail).toContain('actimeo=0,lookupcache=none')
  expect(at('/srv/nfs').lagMs).toBe(0)
  expect(at('/srv/careful').lagMs).toBe(0)
  expect(at('/srv/smb share').lagMs).toBe(1_000)
  expect(at('/srv/smb share').detail).toContain('actimeo=0,cache=none')
  expect(at('/srv/smb0').lagMs).toBe(0)
  expect(at('/srv/ssh')).toMatchObject({ lagMs: 0, detail: expect.stringContaining('one host') as string })
  expect(judgeMount(undefined).lagMs).toBe(0)
})

it('is this host alone that lists a local file system; nothing else is taken for one', () => {
  const mount = (type: string) => ({ type, source: 'x', options: [] })
  expect(['ext4', 'xfs', 'btrfs', 'zfs', 'tmpfs'].map((type) => isLocal(mount(type)))).toEqual(Array(5).fill(true))
  const others = ['nfs', 'nfs4', 'cifs', 'fuse.sshfs', 'ceph', 'gfs2', '9p', 'unheard-of']
  expect(others.map((type) => isLocal(mount(type)))).toEqual(Array(8).fill(false))
  expect(isLocal(undefined)).toBe(false)
})
