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

const consistencyWords: Record<Point['consistency'], string> = {
  crash: 'crash consistent',
  filesystem: 'file-system consistent',
  application: 'application consistent',
}

/** How sound the file systems in it are; of a VM that did not run: why nothing was frozen. */
export function consistencyOf({ consistency, atRest }: Pick<Point, 'consistency' | 'atRest'>): string {
  if (atRest === null) return consistencyWords[consistency]
  return atRest === 'off' ? 'of the VM switched off' : 'of the VM shut down for it'
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

/** How far the point has been checked, and how good that is. */
export function checkedWords(point: Pick<Point, 'validatedMs' | 'verification' | 'damage'>): {
  readonly tone: Tone
  readonly word: string
} {
  if (point.damage) return { tone: 'fail', word: 'damaged' }
  switch (point.verification?.level) {
    case 'full':
      return { tone: 'ok', word: 'read in full' }
    case 'quick':
    case 'data':
      return { tone: 'ok', word: 'verified' }
    case 'spot-checked':
      return { tone: 'ok', word: 'spot-checked' }
    case 'validated':
      return { tone: 'ok', word: 'validated' }
    case undefined:
      return point.validatedMs === null ? { tone: 'warn', word: 'not validated' } : { tone: 'ok', word: 'validated' }
  }
}

/** By which rules retention keeps it, as its newest look has found. */
export function keptWords({ kept }: Pick<Point, 'kept'>): string {
  if (kept === null) return 'not looked at yet'
  // As long as a policy keeps every point.
  const words = kept.by.map((rule) => (rule === 'within' ? 'recent' : rule))
  return words.length === 0 ? 'nothing: it goes' : words.join(', ')
}

/** Age of the newest point as a share of the promise; null where there is none of the two. */
export function ageShare(posture: Posture): number | null {
  return posture.ageMs === null || posture.rpoMs === null || posture.rpoMs === 0 ? null : posture.ageMs / posture.rpoMs
}

export function postureTone(posture: Posture): Tone {
  return postureLooks[posture.state].tone
}
