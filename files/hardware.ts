/**
 * The machine itself: the same for one that boots and for one that goes on from a saved state, which fits exactly this
 * hardware. Who starts it hands in the kernel as descriptor 3, the initramfs as 4, and a character device `files`.
 */

/** A saved state has so many disks; what is not handed in is there without content. */
const resumableDisks = 4
const guestMiB = 384

/** Any back end of QEMU, without the name of its node. */
export type Drive = { readonly driver: string; readonly [option: string]: unknown }

export function isResumable(disks: number): boolean {
  return disks <= resumableDisks
}

/** Drives that fill up what is missing behind `disks` of them. */
export function nothingThere(disks: number): readonly Drive[] {
  const missing = Math.max(0, resumableDisks - disks)
  return Array.from({ length: missing }, () => ({ driver: 'null-co', size: 0, 'read-only': true }))
}

/** Arguments of QEMU but for its name, its channel, and the state that it goes on from. */
export function hardware(drives: readonly Drive[]): readonly string[] {
  const append =
    'console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on no_timer_check lsm= audit=0 cryptomgr.notests'
  return [
    // A plain processor: its state can be saved, and the kernel chooses no instructions that are slow to emulate.
    ...['-M', 'q35', '-accel', 'tcg,thread=multi,tb-size=128', '-cpu', 'qemu64', '-m', String(guestMiB)],
    ...['-smp', '1', '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-nic', 'none'],
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...['-kernel', '/proc/self/fd/3', '-initrd', '/proc/self/fd/4', '-append', append],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...['-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=files,name=holdfast.files'],
    ...drives.flatMap((drive, n) => [
      ...['-blockdev', JSON.stringify({ ...drive, 'node-name': `d${n}` })],
      ...['-device', `virtio-blk-pci,drive=d${n},serial=d${n}`],
    ]),
  ]
}
