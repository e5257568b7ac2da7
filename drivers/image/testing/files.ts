import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MiB } from '../../../base/index.ts'
import type { ContractVm, GuestWrite } from '../../contract/rig.ts'
import { bitmapNames } from '../../names.ts'
import { runProgram } from '../../transport/index.ts'
import type { DiskKey, Endpoint, EndpointId, PointId, TrackerId, VmRef } from '../../values.ts'

/** Neither is a multiple of 1 MiB, the second not of the bitmap's 64 KiB either. */
const sizes = { disk0: 24 * MiB + 64 * 1024, disk1: 9 * MiB + 33 * 1024 + 512 } as const

/**
 * A folder with two images as a VM that is off. Its “guest” is qemu-io, which opens an image, writes and closes it, as a
 * hypervisor does that runs the VM for a while; it is refused while a point is open.
 */
export class FileVm implements ContractVm {
  readonly root: string
  readonly dir: string
  readonly endpoint: Endpoint
  readonly ref: VmRef
  disks: ContractVm['disks'] = Object.entries(sizes).map(([key, size]) => ({
    key: key as DiskKey,
    size,
    tracked: 'persistent',
  }))
  readonly #model = new Map<string, Uint8Array>(Object.entries(sizes).map(([key, size]) => [key, new Uint8Array(size)]))
  #foreign: readonly string[] = []

  private constructor(root: string) {
    const scope = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'
    this.root = root
    this.dir = join(root, 'web')
    this.endpoint = {
      id: 'files' as EndpointId,
      platform: 'image',
      address: root,
      credentialRef: '',
      identity: null,
      options: { scope },
    }
    this.ref = { platform: 'image', endpoint: this.endpoint.id, scope, id: 'web', name: 'web' }
  }

  static async make(): Promise<FileVm> {
    const vm = new FileVm(await mkdtemp(join(tmpdir(), 'hf-image-')))
    await mkdir(vm.dir)
    for (const { key, size } of vm.disks) await vm.img('create', '-f', 'qcow2', vm.file(key), String(size))
    return vm
  }

  file(disk: string): string {
    return join(this.dir, `${disk}.qcow2`)
  }
  async img(...args: readonly string[]): Promise<void> {
    await runProgram('qemu-img', args)
  }

  async write(writes: readonly GuestWrite[]): Promise<void> {
    for (const { key } of this.disks) {
      const mine = writes.filter((w) => w.disk === key)
      if (mine.length === 0) continue
      await this.io(key, mine.map(commandOf))
      for (const w of mine) this.#of(key).fill(w.kind === 'data' ? w.value : 0, w.at, w.at + w.length)
    }
  }
  async io(disk: string, commands: readonly string[]): Promise<void> {
    const { out, err } = await runProgram(
      'qemu-io',
      ['-f', 'qcow2', ...commands.flatMap((c) => ['-c', c]), this.file(disk)],
      { accept: [0, 1] },
    )
    if (/failed|can't|error/i.test(out + err)) throw new Error(out + err)
  }
  content(disk: string): Uint8Array {
    return Uint8Array.from(this.#of(disk))
  }
  /** There is nothing to stop or to freeze. */
  isRunning(): Promise<boolean> {
    return Promise.resolve(existsSync(this.dir))
  }

  /** Processes that serve a point, and files of ours that are neither images nor references. */
  async leftovers(): Promise<readonly string[]> {
    const run = join(this.root, '.holdfast')
    const files = existsSync(run) ? await readdir(run, { recursive: true, withFileTypes: true }) : []
    const staged = (await readdir(this.root)).filter((name) => name.startsWith('.hf-'))
    return [...files.filter((e) => !e.isDirectory() || e.name.startsWith('seed-')).map((e) => e.name), ...staged]
  }
  async references(): Promise<readonly string[]> {
    const all = await Promise.all(this.disks.map(({ key }) => this.bitmaps(key)))
    return all.flat().filter((name) => name.startsWith('hf-') && !this.#foreign.includes(name))
  }
  async bitmaps(disk: string): Promise<string[]> {
    const { out } = await runProgram('qemu-img', ['info', '-U', '--output=json', '-f', 'qcow2', this.file(disk)])
    const info = JSON.parse(out) as { 'format-specific': { data: { bitmaps?: { name: string }[] } } }
    return (info['format-specific'].data.bitmaps ?? []).map((b) => b.name)
  }

  async restart(how: 'clean' | 'crash'): Promise<void> {
    for (const { key } of this.disks) {
      const writer = await this.openWriter(key)
      if (how === 'crash') await kill(writer.pid)
      await writer[Symbol.asyncDispose]()
    }
  }
  /** A process that has the image open for writing, until it is disposed or killed. It writes nothing. */
  async openWriter(disk: string): Promise<AsyncDisposable & { readonly pid: number }> {
    const child = spawn('qemu-io', ['-f', 'qcow2', this.file(disk)], { stdio: ['pipe', 'pipe', 'inherit'] })
    const exited = once(child, 'exit')
    child.stdin.on('error', () => child.stdin.destroy())
    child.stdin.write('flush\nlength\n')
    await once(child.stdout, 'data')
    return {
      pid: child.pid as number,
      [Symbol.asyncDispose]: async () => {
        child.stdin.end('quit\n')
        await exited
      },
    }
  }
  async stop(): Promise<void> {}
  async start(): Promise<void> {}

  async resize(disk: string, size: number): Promise<void> {
    await this.img('resize', '--shrink', '-f', 'qcow2', this.file(disk), String(size))
    const after = new Uint8Array(size)
    after.set(this.#of(disk).subarray(0, size))
    this.#model.set(disk, after)
  }
  /** Renamed, not copied back: a file made anew may get the inode of the one just removed. */
  async replaceVolume(disk: string): Promise<void> {
    await copyFile(this.file(disk), `${this.file(disk)}.copy`)
    await rename(`${this.file(disk)}.copy`, this.file(disk))
  }
  async addUnreadable(): Promise<void> {
    await mkdir(join(this.root, 'spoilt'))
    await writeFile(join(this.root, 'spoilt', 'image.json'), '{"v":1,')
  }
  async addDisk(): Promise<void> {
    const disk = { key: 'disk2' as DiskKey, size: 4 * MiB, tracked: 'persistent' as const }
    await this.img('create', '-f', 'qcow2', this.file(disk.key), String(disk.size))
    this.#model.set(disk.key, new Uint8Array(disk.size))
    this.disks = [...this.disks, disk]
  }
  async plantForeign(): Promise<() => Promise<void>> {
    const disk = this.disks[0]?.key ?? ''
    const theirs = bitmapNames('zzzzzz', 'x' as TrackerId, '0123456789abcdef0123456789abcdef' as PointId).record
    this.#foreign = ['somebody-else', theirs]
    for (const name of this.#foreign) await this.img('bitmap', '--add', '-f', 'qcow2', this.file(disk), name)
    return async () => {
      const left = await this.bitmaps(disk)
      for (const name of this.#foreign) if (!left.includes(name)) throw new Error(`the foreign bitmap ${name} is gone`)
    }
  }
  overlay(): Promise<void> {
    return Promise.reject(new Error('an overlay of an image is another image'))
  }
  networksOf(): Promise<readonly string[]> {
    return Promise.reject(new Error('images have no network'))
  }
  fillScratch(): Promise<void> {
    return Promise.reject(new Error('images need no scratch'))
  }

  /** Ends every qemu-nbd of this endpoint, as a kill -9 would. */
  async killExports(): Promise<void> {
    const run = join(this.root, '.holdfast')
    if (!existsSync(run)) return
    for (const file of await readdir(run, { recursive: true }))
      if (file.endsWith('.pid')) await kill(Number(await readFile(join(run, file), 'utf8')))
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.killExports()
    await rm(this.root, { recursive: true, force: true })
  }

  #of(disk: string): Uint8Array {
    const found = this.#model.get(disk)
    if (!found) throw new Error(`no disk ${disk}`)
    return found
  }
}

function commandOf(w: GuestWrite): string {
  const range = `${w.at} ${w.length}`
  return { data: `write -P ${w.value} ${range}`, zeroes: `write -z -u ${range}`, discard: `discard ${range}` }[w.kind]
}

/** SIGKILL, and gone when it resolves: the kernel has let go of its locks. */
async function kill(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGKILL')
    while (!/\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8')))
      await new Promise((resolve) => setTimeout(resolve, 5))
  } catch (error) {
    if (!['ESRCH', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
