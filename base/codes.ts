/**
 * How a workflow treats an error:
 * `transient` retry with back-off · `after` retry at `retryAfter` · `full` new round, that disk in full ·
 * `degrade` go on with less, by policy · `operator` wait for a person within the window · `never` give up.
 */
export type RetryClass = 'transient' | 'after' | 'full' | 'degrade' | 'operator' | 'never'

export interface CodeEntry {
  readonly retry: RetryClass
  /** What a person can do; shown wherever the error is shown. */
  readonly hint: string
}

/** Every code of the product. Each has an anchor in docs/errors.md (a test checks it). */
export const codes = {
  // Drivers: connections
  NetworkFailure: {
    retry: 'transient',
    hint: 'Check that the host is reachable from this worker; Holdfast tries again by itself.',
  },
  HypervisorTimeout: {
    retry: 'transient',
    hint: 'The hypervisor did not answer in time; look at its load. Holdfast tries again by itself.',
  },
  SessionExpired: {
    retry: 'transient',
    hint: 'The login to the hypervisor ran out twice in a row; check its session limits.',
  },
  LeaseLost: {
    retry: 'transient',
    hint: 'The data connection was taken away; Holdfast reopens it at the last stored offset.',
  },
  Stalled: {
    retry: 'transient',
    hint: 'No byte moved for the stall timeout; look at the source and the network. Holdfast reconnects by itself.',
  },
  // Drivers: wait
  Throttled: { retry: 'after', hint: 'The platform limits our requests; Holdfast waits and goes on.' },
  Busy: { retry: 'after', hint: 'Another backup, migration or job works on this VM; wait for it or stop it.' },
  SlotsExhausted: {
    retry: 'after',
    hint: 'All data connections of the host are in use; wait or lower the concurrency.',
  },
  ClusterNotReady: { retry: 'after', hint: 'The cluster has no quorum or is electing; check its health.' },
  StillInUse: { retry: 'after', hint: 'The object is still in use; Holdfast tries to remove it again.' },
  // Drivers: branch
  ChangeRefInvalid: { retry: 'full', hint: 'The change tracker cannot be trusted; the disk is read in full once.' },
  QuiesceFailed: {
    retry: 'degrade',
    hint: 'Check the guest agent; the policy decides whether the point is crash-consistent or the run fails.',
  },
  ReaderUnavailable: {
    retry: 'degrade',
    hint: 'Install the package that the message names, or enable another transport.',
  },
  GuestRefused: { retry: 'degrade', hint: 'The guest did not do what it was asked; look at its console.' },
  GuestAgentDisabled: {
    retry: 'degrade',
    hint: 'Install and start qemu-guest-agent in the guest, and allow guest-exec for drills.',
  },
  // Drivers: a person is needed
  CapacityExhausted: { retry: 'operator', hint: 'Free space at the place that the message names, then retry the run.' },
  AccessBlocked: {
    retry: 'operator',
    hint: 'A firewall, security module or file permission stands in between; open it for Holdfast.',
  },
  AccessDenied: { retry: 'operator', hint: 'Give the account the permission that the message names.' },
  IdentityChanged: {
    retry: 'operator',
    hint: 'The host shows another key than before; if that is expected, confirm the new one.',
  },
  ForeignOwner: {
    retry: 'operator',
    hint: 'Another Holdfast installation protects this VM. Take it out of the plans there, then take it over with `holdfast backup VM --take-over-from NAME`.',
  },
  ForeignState: { retry: 'operator', hint: 'Something that is not ours is in the way; the message names it.' },
  NameTaken: { retry: 'operator', hint: 'Choose another name or remove the object that has it.' },
  GuestStuck: { retry: 'operator', hint: 'Open the guest console; thaw or resume it by hand if Holdfast cannot.' },
  // Drivers: give up
  PointBroken: { retry: 'never', hint: 'The point in time was lost while it was read; Holdfast opens a new one.' },
  HypervisorRefused: {
    retry: 'transient',
    hint: 'The hypervisor refused a command and gave the reason in the message; if it stays, look there for what is in the way.',
  },
  Unsupported: { retry: 'never', hint: 'This platform or version cannot do it; see the driver table in the README.' },
  NotFound: { retry: 'never', hint: 'Check the name or id; list what exists first.' },
  NotOurs: { retry: 'never', hint: 'The object does not carry our mark, so Holdfast does not touch it.' },
  SizeMismatch: { retry: 'never', hint: 'Source and target differ in size; choose a target of the same size.' },
  ProtocolMismatch: {
    retry: 'never',
    hint: 'The other side speaks differently than expected; report it with the message.',
  },
  // Stores
  StoreUnavailable: {
    retry: 'transient',
    hint: 'The store does not answer; check it. Holdfast tries again by itself.',
  },
  StoreRateLimited: { retry: 'after', hint: 'The store limits our requests; Holdfast waits and goes on.' },
  StoreDenied: { retry: 'operator', hint: 'Give the credentials the permission that the message names.' },
  StoreFull: {
    retry: 'operator',
    hint: 'Make space in the repository or enlarge it, then retry the run: it resumes where it stopped.',
  },
  StoreChecksumMismatch: {
    retry: 'transient',
    hint: 'Bytes changed on the way to the store; Holdfast sends them again.',
  },
  StoreLocked: { retry: 'never', hint: 'The object is under retention and cannot be removed before it ends.' },
  StoreUnfit: {
    retry: 'never',
    hint: 'The store does not keep what the repository relies on; see the probe result and choose another.',
  },
  ProbeOutdated: {
    retry: 'operator',
    hint: 'Nothing was deleted. Run `holdfast repo probe` on the repository, then collect again.',
  },
  ObjectAbsent: { retry: 'never', hint: 'The object is not in the store; run repo verify.' },
  // Repository
  RepositoryMissing: {
    retry: 'operator',
    hint: 'There is no repository at this place; check the path or create one with `holdfast repo init`.',
  },
  RepositoryExists: { retry: 'never', hint: 'There is something at this place already; choose an empty one.' },
  RepositoryForeign: {
    retry: 'operator',
    hint: 'The place holds files that are not a repository; choose an empty one.',
  },
  FormatError: {
    retry: 'never',
    hint: 'The object is damaged or was not written by Holdfast; run repo verify to see what it concerns.',
  },
  FormatUnsupported: { retry: 'never', hint: 'The object was written by a newer version; update Holdfast.' },
  WrongSecret: {
    retry: 'operator',
    hint: 'The passphrase or recovery key does not open this repository; try another one.',
  },
  KeysDamaged: {
    retry: 'operator',
    hint: 'A key object is damaged; open the repository with another slot and write the slot again.',
  },
  KeyUnknown: {
    retry: 'operator',
    hint: 'The keys were changed since the repository was opened, or this secret opens only some of them: open it again, or with another secret.',
  },
  KeysIncomplete: {
    retry: 'operator',
    hint: 'The repository needs two key slots, one for recovery: add one with `holdfast repo key add`, or complete the initialisation.',
  },
  DomainShredded: {
    retry: 'never',
    hint: 'The keys of this domain were destroyed on purpose; back up into a new repository.',
  },
  KeysSuperseded: {
    retry: 'operator',
    hint: 'The key-encryption key was rotated without this secret: use one of the newer generation, or run the rotation again if it was interrupted.',
  },
  KeysConflict: {
    retry: 'operator',
    hint: 'Somebody else changes the keys of this repository at the same time; look at `holdfast repo key list` and try again.',
  },
  FloorMissing: {
    retry: 'operator',
    hint: 'The floor record is gone; reading works, all else stops until an administrator has looked.',
  },
  ListingIncomplete: {
    retry: 'operator',
    hint: 'The store left out objects in a listing; do not use it until the cause is known.',
  },
  RecordForged: {
    retry: 'operator',
    hint: 'A record fails its authentication; nothing is deleted until an administrator has looked.',
  },
  CollectionAborted: {
    retry: 'operator',
    hint: 'Nothing was deleted. Run `holdfast repo verify`, bring back or give up what the message names, then collect again.',
  },
  RetentionRefused: {
    retry: 'operator',
    hint: 'Nothing was removed. Look at the dry run; change the policy, or allow the sweep by name if it is meant.',
  },
  HoldRefused: { retry: 'never', hint: 'The point is no longer there to hold; choose another one.' },
  ChunkLost: {
    retry: 'never',
    hint: 'The stored data of these byte ranges is damaged in every place; restore from a mirror or an earlier point.',
  },
  PackDamaged: {
    retry: 'never',
    hint: 'The next backup of the disks concerned stores the data again; keep the mirror until then.',
  },
  SessionFenced: { retry: 'never', hint: 'A newer attempt has taken over; this one stops.' },
  SessionInvalid: { retry: 'never', hint: 'The session cannot be continued; start a new run.' },
  CommitRefused: { retry: 'never', hint: 'The point was tombstoned or abandoned meanwhile; start a new run.' },
  PointNotRestorable: {
    retry: 'never',
    hint: 'The point is not validated or is tombstoned; choose another, or ask for it explicitly.',
  },
  SourceReadFailed: { retry: 'transient', hint: 'Reading the disk failed; look at the hypervisor and its storage.' },
  TargetWriteFailed: { retry: 'transient', hint: 'Writing the disk failed; look at the hypervisor and its storage.' },
  // Control plane
  ConfigInvalid: { retry: 'never', hint: 'Correct the setting that the message names.' },
  SecretMissing: {
    retry: 'operator',
    hint: 'Put the secret where the message says, readable for this worker only (0600).',
  },
  PreflightBlocked: {
    retry: 'operator',
    hint: 'Remove what the findings name; the run looks again by itself and goes on.',
  },
  WorkerShutdown: {
    retry: 'transient',
    hint: 'The worker was stopped; it, or another one, goes on from the last durable byte.',
  },
  ReplicationRefused: {
    retry: 'never',
    hint: 'Look at the state of the pair: `holdfast replication list`.',
  },
  AlreadyRunning: { retry: 'never', hint: 'Watch the run that is under way, or cancel it first.' },
  NoWorker: { retry: 'transient', hint: 'Start a worker for this site: `holdfast worker --site <site>`.' },
  TemporalUnavailable: { retry: 'transient', hint: 'Check the Temporal server; runs continue when it is back.' },
  ServerUnreachable: { retry: 'transient', hint: 'Check that `holdfast server` runs and that the address is right.' },
  Unauthorized: {
    retry: 'never',
    hint: 'Give a valid token: --token, HOLDFAST_TOKEN or the file that `holdfast up` names.',
  },
  Forbidden: { retry: 'never', hint: 'Use a token whose role may do this, and the dashboard at its own address.' },
  PlanIncomplete: {
    retry: 'never',
    hint: 'Look at the VMs that failed; `holdfast run retry` of this run takes only those again.',
  },
  RecoveryRefused: {
    retry: 'never',
    hint: 'Shut these VMs down or fail over to their standbys; or name those that come back all the same: `--beside VM`.',
  },
  RecoveryIncomplete: {
    retry: 'never',
    hint: 'Look at the tiers of the run: `holdfast recovery-plan report`.',
  },
  MirrorIncomplete: {
    retry: 'never',
    hint: 'Look at the points that failed; they are tried again by themselves, or at once with `holdfast mirror`.',
  },
  StaleRevision: {
    retry: 'never',
    hint: 'Somebody else changed it meanwhile: read it again, and make the change to what is there now.',
  },
  InUse: { retry: 'never', hint: 'Take it away from what the message names first.' },
  PolicyInvalid: { retry: 'never', hint: 'Correct every place that the message names; nothing was changed.' },
  QuotaFull: {
    retry: 'never',
    hint: 'Remove a point that was made by hand and is no longer needed, or raise the count of the policy.',
  },
  ChannelRefused: {
    retry: 'never',
    hint: 'Look at the settings of the channel and at its secret, then send a test: `holdfast channels test <channel>`.',
  },
  MessageRefused: {
    retry: 'never',
    hint: 'The others of this channel go on; `holdfast alerts` has what this one told. Once it is mended, test the channel: what still lasts is told again.',
  },
  RunEnded: { retry: 'never', hint: 'The run has ended; look at its result, or start it again.' },
  InvalidRequest: { retry: 'never', hint: 'Correct the input that the message names.' },
  DrillFailed: { retry: 'never', hint: 'The point did not prove itself; look at the evidence and take a new backup.' },
  Cancelled: { retry: 'never', hint: 'Start the run again when you want it.' },
  PackageMissing: { retry: 'operator', hint: 'Install the package with the command that the message gives.' },
  Internal: { retry: 'transient', hint: 'This should not happen; report it with the run id and the message.' },
} as const satisfies { readonly [code: string]: CodeEntry }

export type ErrorCode = keyof typeof codes

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(codes, value)
}
