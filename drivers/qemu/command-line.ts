import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { MAX_SOCKET_PATH } from '../names.ts'
import {
  resolveFile,
  type DiskBacking,
  type DiskDescription,
  type NicDescription,
  type VmDescription,
} from './description.ts'

/** Everything a running VM has on the host, by absolute path. */
export interface RunPaths {
  readonly dir: string
  /** QMP monitor of the driver; one client at a time. */
  readonly qmp: string
  /** Second QMP monitor, for the lab and its oracle. */
  readonly qmp2: string
  /** Guest agent; one client at a time. */
  readonly agent: string
  readonly serial: string
  /** Written and locked by QEMU itself, removed when it ends cleanly. */
  readonly pid: string
  /** What QEMU printed. */
  readonly log: string
}

/** The driver's own socket names are at most 40 bytes long. */
const MAX_RUN_DIR = MAX_SOCKET_PATH - 1 - 40

export function fitsSockets(dir: string): boolean {
  return Buffer.byteLength(dir) <= MAX_RUN_DIR
}

/** A short folder for the sockets of a VM whose own folder has too long a path. Made (0700) by `launch`. */
function shortRunDir(uuid: string): string {
  return join(tmpdir(), `holdfast-${process.getuid?.() ?? 0}`, uuid.replaceAll('-', '').slice(0, 16))
}

export function runPaths(folder: string, d: VmDescription): RunPaths {
  const vmDir = resolve(folder)
  const dir = d.runDir ?? (fitsSockets(vmDir) ? vmDir : shortRunDir(d.uuid))
  return {
    dir,
    qmp: join(dir, 'qmp.sock'),
    qmp2: join(dir, 'qmp2.sock'),
    agent: join(dir, 'ga.sock'),
    serial: join(vmDir, 'serial.log'),
    pid: join(dir, 'pid'),
    log: join(vmDir, 'qemu.log'),
  }
}

/** Names that QEMU knows a disk by; they hold whatever else is attached. Node names have at most 31 characters. */
export function diskNodes(key: string): {
  readonly device: string
  readonly file: string
  readonly format: string
  /** Of an overlay: what is served to it. */
  readonly source: string
} {
  return { device: key, file: `${key}-file`, format: `${key}-fmt`, source: `${key}-src` }
}

/**
 * By evidence: `/dev/kvm` proves nothing (a nested kernel may offer one that emulates for minutes), a loaded
 * processor module does.
 */
export function accelerator(
  wish: VmDescription['accel'] = 'auto',
  exists: (path: string) => boolean = existsSync,
): 'kvm' | 'tcg' {
  if (wish !== 'auto') return wish
  return exists('/sys/module/kvm_intel') || exists('/sys/module/kvm_amd') ? 'kvm' : 'tcg'
}

export interface CommandLineOptions {
  /** `described`: NICs as in the description · `restricted`: all on a network that reaches nothing · `none`: no NICs. */
  readonly network?: 'described' | 'restricted' | 'none'
  /** Stops the processors until QMP says `cont`. */
  readonly paused?: boolean
}

export const QEMU_PROGRAM = 'qemu-system-x86_64'

/** Arguments of QEMU for this VM; pure but for the accelerator's evidence. Every path is absolute. */
export function commandLine(folder: string, d: VmDescription, options: CommandLineOptions = {}): string[] {
  const vmDir = resolve(folder)
  const paths = runPaths(vmDir, d)
  const accel = accelerator(d.accel)
  return [
    ...['-name', `guest=${escape(d.name)}`, '-uuid', d.uuid],
    ...['-machine', d.machine, '-accel', accel === 'kvm' ? 'kvm' : 'tcg,thread=multi', '-cpu', 'max'],
    ...['-m', String(d.memory / (1024 * 1024)), '-smp', String(d.vcpus)],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-vga', 'std'],
    // The guest is not trusted: QEMU may neither start programs nor gain privileges.
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...['-pidfile', paths.pid],
    ...(options.paused ? ['-S'] : []),
    ...boot(vmDir, d),
    ...['-chardev', `file,id=serial0,path=${escape(paths.serial)}`, '-serial', 'chardev:serial0'],
    ...monitor('qmp', paths.qmp),
    ...monitor('qmp2', paths.qmp2),
    ...['-device', 'virtio-serial-pci,id=vserial'],
    ...['-chardev', `socket,id=ga0,path=${escape(paths.agent)},server=on,wait=off`],
    ...['-device', 'virtserialport,bus=vserial.0,chardev=ga0,id=agent,name=org.qemu.guest_agent.0'],
    ...d.disks.flatMap((disk) => diskArguments(vmDir, disk)),
    ...nicArguments(d.nics, options.network ?? 'described'),
  ]
}

function boot(vmDir: string, d: VmDescription): string[] {
  if (d.firmware === 'bios' || d.kernel === undefined) return ['-boot', 'strict=on']
  return [
    ...['-kernel', resolveFile(vmDir, d.kernel)],
    ...(d.initrd === undefined ? [] : ['-initrd', resolveFile(vmDir, d.initrd)]),
    ...(d.append === undefined ? [] : ['-append', d.append]),
  ]
}

function monitor(id: string, path: string): string[] {
  return ['-chardev', `socket,id=${id},path=${escape(path)},server=on,wait=off`, '-mon', `chardev=${id},mode=control`]
}

function diskArguments(vmDir: string, disk: DiskDescription): string[] {
  const node = diskNodes(disk.key)
  const file = { driver: 'file', filename: resolveFile(vmDir, disk.file), 'node-name': node.file, discard: 'unmap' }
  const { backing } = disk
  const format = formatNode(disk, backing ? node.source : null)
  const bootIndex = disk.bootOrder === null ? '' : `,bootindex=${disk.bootOrder}`
  // What the server cannot give stops the VM; the guest never sees an error that it would write down for ever.
  const onError = backing ? ',rerror=stop,werror=stop' : ''
  return [
    ...(backing ? ['-blockdev', JSON.stringify(servedNode(node.source, backing))] : []),
    ...['-blockdev', JSON.stringify(file), '-blockdev', JSON.stringify(format)],
    ...['-device', `virtio-blk-pci,drive=${node.format},id=${node.device},serial=${disk.serial}${bootIndex}${onError}`],
  ]
}

/** `backing`: the node below; null: there is none. */
export function formatNode(disk: DiskDescription, backing: string | null): { readonly [option: string]: string } {
  const node = diskNodes(disk.key)
  return {
    ...{ driver: disk.format, file: node.file, 'node-name': node.format, discard: 'unmap' },
    ...(backing !== null && { backing }),
  }
}

/** Requests of the guest hang while the server is away; without `reconnect-delay` each would fail at once. */
function servedNode(name: string, backing: DiskBacking): object {
  return {
    driver: 'nbd',
    'node-name': name,
    server: { type: 'unix', path: backing.socket },
    export: backing.export,
    'read-only': true,
    'reconnect-delay': backing.reconnectSeconds,
    'open-timeout': 30,
  }
}

/** `romfile=`: no network boot, and no dependency on the package with the boot ROMs. */
function nicArguments(nics: readonly NicDescription[], network: NonNullable<CommandLineOptions['network']>): string[] {
  if (network === 'none') return []
  return nics.flatMap((nic, i) => {
    const kind = network === 'restricted' && nic.network !== 'disconnected' ? 'restricted' : nic.network
    const device = `virtio-net-pci,id=nic${i},mac=${nic.mac},romfile=`
    if (kind === 'disconnected') return ['-device', device]
    const restrict = kind === 'restricted' ? ',restrict=on' : ''
    return ['-netdev', `user,id=net${i}${restrict}`, '-device', `${device},netdev=net${i}`]
  })
}

/** In QEMU's key=value options a comma in a value is written twice. */
function escape(value: string): string {
  return value.replaceAll(',', ',,')
}
