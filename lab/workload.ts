import { HoldfastError } from '../base/index.ts'
import type { LabVm } from './vm.ts'

export interface WorkloadStatus {
  readonly state: 'idle' | 'working' | 'running' | 'finished' | 'failed'
  readonly steps: number
  readonly writtenKiB: number
  readonly files: number
  readonly rows: number
}

export interface WorkloadOptions {
  /** KiB per second over all disks, default 2,048. */
  readonly rate?: number
  readonly seed?: number
}

const PROGRAM = '/usr/bin/workload'

/** Starts the writer in the guest; it works until it is stopped. */
export async function startWorkload(vm: LabVm, options: WorkloadOptions = {}): Promise<WorkloadStatus> {
  const { rate = 2048, seed = 1 } = options
  return parse(vm, await vm.exec(PROGRAM, ['start', '--rate', String(rate), '--seed', String(seed)]))
}

/** The writer ends the step it is in; everything it wrote is on the disks when this returns. */
export async function stopWorkload(vm: LabVm): Promise<WorkloadStatus> {
  return parse(vm, await vm.exec(PROGRAM, ['stop']))
}

export async function workloadStatus(vm: LabVm): Promise<WorkloadStatus> {
  return parse(vm, await vm.exec(PROGRAM, ['status']))
}

/** A fixed amount of work, at full speed; one step touches every disk. */
export async function runWorkload(vm: LabVm, steps: number, seed = 1): Promise<WorkloadStatus> {
  return parse(vm, await vm.exec(PROGRAM, ['steps', String(steps), '--seed', String(seed)], 30_000 + steps * 5_000))
}

function parse(vm: LabVm, text: string): WorkloadStatus {
  const status = JSON.parse(text) as WorkloadStatus
  if (status.state === 'failed')
    throw new HoldfastError('GuestRefused', `the workload in VM “${vm.name}” failed: ${text}`)
  return status
}
