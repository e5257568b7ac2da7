import type { HypervisorDriver } from '../driver.ts'
import type { DiskKey, Endpoint, VmRef } from '../values.ts'

/** One write as a guest makes it: bytes of one value, zeros by the device's own command, or a discard. */
export interface GuestWrite {
  readonly disk: string
  readonly kind: 'data' | 'zeroes' | 'discard'
  readonly at: number
  readonly length: number
  readonly value: number
}

/**
 * The seam at which a test ends the driver's “process”: every effect passes through `run`, one after the other, and
 * `atDeath` closes what the kernel would close.
 */
export interface EffectSeam {
  run<T>(what: string, effect: () => Promise<T>): Promise<T>
  atDeath(end: () => void): () => void
}

/** A VM with two disks at least, its writer, and an independent account of what its disks hold. */
export interface ContractVm extends AsyncDisposable {
  readonly endpoint: Endpoint
  readonly ref: VmRef
  /** May grow by `addDisk`. */
  readonly disks: readonly { readonly key: DiskKey; readonly size: number; readonly tracked: 'persistent' | 'memory' }[]
  write(writes: readonly GuestWrite[]): Promise<void>
  /** What the disk holds now, by the account of the writer alone; a copy. */
  content(disk: string): Uint8Array
  /** As seen from outside, without the driver. */
  isRunning(): Promise<boolean>
  /** Everything of ours in or beside the VM that is no reference: exports, jobs, nodes, files, processes. */
  leftovers(): Promise<readonly string[]>
  /** Names of all our bitmaps, or whatever holds references. */
  references(): Promise<readonly string[]>
  /** Ends the VM in order or by a crash, and starts it again. */
  restart(how: 'clean' | 'crash'): Promise<void>
  stop(): Promise<void>
  start(): Promise<void>
  resize(disk: string, size: number): Promise<void>
  /** Somebody else puts an overlay on top of the disk. */
  overlay(disk: string): Promise<void>
  /** The file or volume behind the disk becomes another one, with the same content. The VM is off. */
  replaceVolume(disk: string): Promise<void>
  /** Somebody else's VM that nobody can read appears at the endpoint. */
  addUnreadable(): Promise<void>
  /** A further, blank disk, tracked like the first. The VM is off. */
  addDisk(): Promise<void>
  /** Objects of other products and installations, like ours as far as possible. Returns a check that all are still there. */
  plantForeign(): Promise<() => Promise<void>>
  /** What the network cards of a VM are connected to, by its description. */
  networksOf(vm: VmRef): Promise<readonly string[]>
  /** Fills the place where the scratch lies to the last byte. */
  fillScratch(): Promise<void>
}

export interface ContractRig {
  readonly name: string
  /** Tests that cannot run here, by number, each with its reason. They are listed as skipped. */
  readonly cannot: { readonly [test: string]: string }
  /** Tests of drivers.md §10 that are no part of the suite: by number, where they are or why there is none. */
  readonly elsewhere?: { readonly [test: string]: string }
  /** Crash and cancel tests try every n-th effect (tests/support/sampling.ts). */
  readonly stride: number
  /** Another program uses what only one may use at a time; returns what ends that. Without it test 35 is skipped. */
  readonly occupy?: (vm: ContractVm) => Promise<() => Promise<void>>
  /** A fresh, running VM. */
  make(): Promise<ContractVm>
  open(endpoint: Endpoint, seam?: EffectSeam): Promise<HypervisorDriver>
}
