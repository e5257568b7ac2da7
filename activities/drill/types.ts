/** The steps that only a drill has: boot in isolation, wait for the guest, ask it, take a picture. */
import type { VmRef } from '../../drivers/values.ts'
import type { TargetRef } from '../restore/types.ts'
import type { DrillCheck, DrillCheckResult } from '../../workflows/drill/contract.ts'

export interface GuestRef extends TargetRef {
  readonly vm: VmRef
}

export interface DrillActivities {
  /** Starts the VM on a network that reaches nothing of production. */
  readonly bootIsolated: (
    input: GuestRef & { readonly network: string },
  ) => Promise<{ readonly address: string | null }>
  /** 'up' as soon as the guest agent answers; 'silent' or 'absent' when `timeoutMs` has passed. */
  readonly waitForGuest: (
    input: GuestRef & { readonly timeoutMs: number },
  ) => Promise<{ readonly state: 'up' | 'silent' | 'absent'; readonly waitedMs: number }>
  readonly runGuestCheck: (input: GuestRef & { readonly check: DrillCheck }) => Promise<DrillCheckResult>
  /** SHA-256 of the PNG in the evidence store; null where the platform has no picture. */
  readonly takeScreenshot: (input: GuestRef) => Promise<{ readonly sha256: string | null; readonly bytes: number }>
}
