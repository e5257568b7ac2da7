import type { Point, Posture, Vm } from '#lib/api/types.ts'
import type { Tone } from '#lib/state/tone.ts'
import { postureLooks } from '#lib/state/looks.ts'

/** Platforms as their makers write them. */
export const platformNames: Record<Vm['platform'], string> = {
  qemu: 'QEMU',
  libvirt: 'libvirt',
  proxmox: 'Proxmox VE',
  xcpng: 'XCP-ng',
  vsphere: 'vSphere',
  hyperv: 'Hyper-V',
  ahv: 'AHV',
  azure: 'Azure',
  image: 'Disk images',
}

export const consistencyWords: Record<Point['consistency'], string> = {
  crash: 'crash consistent',
  filesystem: 'file-system consistent',
  application: 'application consistent',
}

export const modeWords: Record<Point['mode'], string> = {
  full: 'full',
  incremental: 'incremental',
  mixed: 'some disks in full',
}

export const originWords: Record<Point['origin'], string> = {
  manual: 'by hand',
  scheduled: 'by schedule',
  publish: 'for a release',
  safety: 'before a restore',
}

/** Why a disk was read in full; codes of the drivers, which a later one may add to. */
const fullReasons: { readonly [code: string]: string } = {
  'no-parent': 'there is no earlier point to build on',
  'tracking-unsupported': 'it cannot be tracked for changes',
  'tracking-off': 'change tracking was off',
  'tracking-just-enabled': 'change tracking has just been switched on',
  'reference-missing': 'the change tracker of the last point is gone',
  'reference-inconsistent': 'the change tracker is marked inconsistent, as after a power cut',
  'reference-inactive': 'the change tracker was not recording',
  'reference-of-another-point': 'the change tracker belongs to another point',
  'epoch-changed': 'the change tracker was started anew',
  'size-changed': 'it changed its size',
  'volume-changed': 'there is another volume behind it',
  'foreign-snapshot': 'somebody else made a snapshot in between',
  reverted: 'the VM was reverted to a snapshot',
  'known-bad-build': 'the tracker of this hypervisor build is known to miss changes',
  'previous-round-uncertain': 'it is uncertain how the round before ended',
  'extent-query-failed': 'the list of changes could not be read',
  'audit-mismatch': 'the audit found a change that the tracker had missed',
  'full-interval': 'a full is due',
  'asked-by-operator': 'a full was asked for',
}

export function whyFull(code: string): string {
  return fullReasons[code] ?? code
}

/** How far the point has been checked, and how good that is. */
export function checkedWords(point: Pick<Point, 'validatedMs' | 'verification'>): {
  readonly tone: Tone
  readonly word: string
} {
  switch (point.verification?.level) {
    case 'full':
      return { tone: 'ok', word: 'read in full' }
    case 'quick':
      return { tone: 'ok', word: 'verified' }
    case 'spot-checked':
      return { tone: 'ok', word: 'spot-checked' }
    case 'validated':
      return { tone: 'ok', word: 'validated' }
    case undefined:
      return point.validatedMs === null ? { tone: 'warn', word: 'not validated' } : { tone: 'ok', word: 'validated' }
  }
}

/** Age of the newest point as a share of the promise; null where there is none of the two. */
export function ageShare(posture: Posture): number | null {
  return posture.ageMs === null || posture.rpoMs === null || posture.rpoMs === 0 ? null : posture.ageMs / posture.rpoMs
}

export function postureTone(posture: Posture): Tone {
  return postureLooks[posture.state].tone
}
