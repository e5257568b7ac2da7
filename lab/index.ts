/**
 * The lab: real QEMU guests in a folder, with a workload, and an oracle that knows what their disks held at an instant.
 * It gives the demo, the tests and the benchmarks something real to protect; see README.md here.
 */
export { labDown, labStatus, labUp } from './lab.ts'
export type { Lab, LabDown, LabPlace, LabStatus, LabUp, LabVmStatus } from './lab.ts'
export { LabVm } from './vm.ts'
export type { GuestChecks, LabVmSpec } from './vm.ts'
export { findLabVm, startedLabVm } from './find.ts'
export { runWorkload, startWorkload, stopWorkload, workloadStatus } from './workload.ts'
export type { WorkloadOptions, WorkloadStatus } from './workload.ts'
export { Oracle, SWITCH_HOOK } from './oracle.ts'
export type { OracleOptions, SwitchCall } from './oracle.ts'
export type { CopiedDisk } from './oracle-copy.ts'
export { compareImages } from './compare.ts'
export type { Comparison, Image } from './compare.ts'
export { endTemporaryLab, temporaryLab, withLab } from './with-lab.ts'
export { buildGuest } from './guest/index.ts'
export type { Guest, GuestOptions } from './guest/index.ts'
