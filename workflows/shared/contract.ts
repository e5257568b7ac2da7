import type { RepositoryLocation } from '../../base/index.ts'
import type { Endpoint, VmRef } from '../../drivers/values.ts'

/** Where a repository is and how to open it: references, never secrets. */
export interface RepositoryRef {
  readonly id: string
  readonly name: string
  /** Site whose workers reach it. */
  readonly site: string
  readonly location: RepositoryLocation
  /** `file:<path>` of the passphrase (rulings 19). */
  readonly credentialRef: string
}

/** A VM as the control plane knows it. */
export interface VmTarget {
  /** Catalog id: `[a-z0-9-]+`, part of workflow ids. */
  readonly id: string
  readonly ref: VmRef
  readonly endpoint: Endpoint
  readonly site: string
}

/** What names of the point are at the target; one that is not named stays itself. */
export interface NamesThere {
  /** null: not connected. */
  readonly networks?: { readonly [from: string]: string | null }
  /** `*`: any that is not named. */
  readonly storages?: { readonly [from: string]: string }
}

/** Values that tests and small installations change; all have defaults. */
export interface Tuning {
  /** Heartbeat timeout of movers in ms; a dead worker is noticed after it. Default 30,000. */
  readonly moverHeartbeatMs?: number
  /** rulings 8. Default 256 MiB. */
  readonly journalSourceBytes?: number
  /** rulings 10. Default 5,000 ms. */
  readonly freezeLimitMs?: number
  /** How long a guest may take to shut down for its backup. Default 300,000 ms. */
  readonly shutdownLimitMs?: number
  /** No byte moved for so long: the attempt fails and is retried. Default 300,000 ms. */
  readonly stallTimeoutMs?: number
  /** How long a run waits for a person (repository full, access denied…) before it gives up. Default 24 h. */
  readonly operatorWaitMs?: number
  /** A run that waits for a person tries again by itself after so long. Default 60,000 ms. */
  readonly reprobeMs?: number
}

/** Who asked, for the runbook and the audit trail. */
export interface Requester {
  readonly user: string
  readonly reason: string
}

/** Why a run stands still with the one that started it. */
export interface Hold extends Requester {
  /** It lasts for longer than what is open meanwhile may stay so: a point in time is given back and made anew. */
  readonly releases?: boolean
}

/** Updates shared by all processes. Arguments say who and why; both become rows of the runbook. */
export const pauseUpdate = 'pause'
export const resumeUpdate = 'resume'
/** Ends the wait of a run that needs a person, once the cause is removed; refused if nothing waits. */
export const retryNowUpdate = 'retryNow'
/** Signal before a cancel, so that the runbook says who asked and why. */
export const cancelNoteSignal = 'cancelNote'

/** From a run to those that it has started, with who and why: stand still; null: go on. */
export const holdSignal = 'hold'
/** What a run that stands still so says to a resume. */
export const heldRefusal = 'it stands still with the run that started it: resume that'

/** To a drill or restore that a recovery plan holds: it goes on to its ordinary end. */
export const releaseMemberSignal = 'releaseMember'

/** To a run of a plan: what the plan says has changed. */
export const planChangedSignal = 'planChanged'

/** To a run that waits for a slot: it has one now. */
export const slotsGrantedSignal = 'slotsGranted'

/** What could not be undone: size, place and who removes it are in `hint`. */
export interface ResidueItem {
  readonly kind: string
  readonly id: string
  readonly error: string
  readonly hint: string
}

/** Search attributes (≤ 6), registered at start of the server. */
export const searchAttributes = {
  vm: 'HoldfastVm',
  plan: 'HoldfastPlan',
  repository: 'HoldfastRepo',
  site: 'HoldfastSite',
  outcome: 'HoldfastOutcome',
  bytesStored: 'HoldfastBytesStored',
} as const
