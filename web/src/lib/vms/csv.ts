import type { Vm } from '#lib/api/types.ts'
import { csvOf } from '#lib/format/index.ts'

const at = (ms: number | null | undefined): string | null =>
  ms === null || ms === undefined ? null : new Date(ms).toISOString()

/** The VMs of a list as a file. Times in ISO 8601 and UTC, sizes in bytes, no value where nothing is known. */
export function vmsCsv(vms: readonly Vm[]): string {
  return csvOf(vms, {
    vm: (vm) => vm.name,
    state: (vm) => vm.posture.state,
    plans: (vm) => vm.plans.join(' '),
    category: (vm) => vm.category,
    newest_point: (vm) => at(vm.newestPoint?.createdMs),
    rpo_seconds: (vm) => (vm.posture.rpoMs === null ? null : vm.posture.rpoMs / 1000),
    points: (vm) => vm.pointCount,
    last_proof: (vm) => vm.lastProof?.verdict,
    last_proof_at: (vm) => at(vm.lastProof?.endedMs),
    platform: (vm) => vm.platform,
    hypervisor: (vm) => vm.hypervisorName,
    site: (vm) => vm.site,
    tags: (vm) => vm.tags.join(' '),
    size_bytes: (vm) => vm.sizeBytes,
    changed_bytes_a_day: (vm) => vm.changedPerDay,
    flags: (vm) => vm.flags.join('; '),
  })
}
