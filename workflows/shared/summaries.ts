import type { MustFullReason } from '../../drivers/values.ts'

/** Why a disk was read in full, in an operator's words. */
export const fullReasons: { readonly [reason in MustFullReason]: string } = {
  'no-parent': 'there is no earlier point to build on',
  'tracking-unsupported': 'this disk cannot be tracked for changes',
  'tracking-off': 'change tracking was off',
  'tracking-just-enabled': 'change tracking has just been switched on',
  'reference-missing': 'the change tracker of the last point is gone',
  'reference-inconsistent': 'the change tracker is marked inconsistent, as after a power cut',
  'reference-inactive': 'the change tracker was not recording',
  'reference-of-another-point': 'the change tracker belongs to another point',
  'epoch-changed': 'the change tracker was started anew',
  'size-changed': 'the disk changed its size',
  'volume-changed': 'there is another volume behind this disk',
  'foreign-snapshot': 'somebody else made a snapshot in between',
  reverted: 'the VM was reverted to a snapshot',
  'known-bad-build': 'the tracker of this hypervisor build is known to miss changes',
  'previous-round-uncertain': 'it is uncertain how the round before ended',
  'extent-query-failed': 'the list of changes could not be read',
  'audit-mismatch': 'the audit found a change that the tracker had missed',
  'parent-damaged': 'the last point is damaged',
  'full-interval': 'a full is due',
  'asked-by-operator': 'a full was asked for',
}

export function isFullReason(value: unknown): value is MustFullReason {
  return typeof value === 'string' && Object.hasOwn(fullReasons, value)
}

/** `incremental`, or `full: a full was asked for`. */
export function modeInWords(mode: 'full' | 'incremental', why: MustFullReason | null): string {
  if (mode === 'incremental') return 'incremental'
  return why === null ? 'full' : `full: ${fullReasons[why]}`
}
