import { readdirSync } from 'node:fs'
import type { LabVm } from '../../lab/index.ts'

/** What a backup could leave behind on one VM, as QEMU, the guest and the folder say. Two of them are compared. */
export interface HypervisorState {
  readonly run: string
  readonly freeze: string
  readonly bitmaps: readonly string[]
  readonly nodes: readonly string[]
  readonly jobs: readonly string[]
  readonly exports: readonly string[]
  readonly files: readonly string[]
}

interface BlockNode {
  readonly 'node-name'?: string
  readonly 'dirty-bitmaps'?: readonly { readonly name?: string }[]
}

export async function hypervisorState(vm: LabVm): Promise<HypervisorState> {
  await using monitor = await vm.monitor()
  const nodes = await monitor.execute<readonly BlockNode[]>('query-named-block-nodes')
  const jobs = await monitor.execute<readonly { readonly id: string }[]>('query-jobs')
  const exports = await monitor.execute<readonly { readonly id: string }[]>('query-block-exports')
  const { status } = await monitor.execute<{ readonly status: string }>('query-status')
  await using agent = await vm.agent(5_000)
  return {
    run: status,
    freeze: await agent.freezeStatus(),
    bitmaps: nodes
      .flatMap((node) => (node['dirty-bitmaps'] ?? []).map(({ name }) => `${node['node-name']}/${name ?? ''}`))
      .sort(),
    // Names that QEMU chose (#block123) count up; ours do not.
    nodes: nodes
      .map((node) => node['node-name'] ?? '')
      .filter((name) => !name.startsWith('#'))
      .sort(),
    jobs: jobs.map(({ id }) => id).sort(),
    exports: exports.map(({ id }) => id).sort(),
    files: readdirSync(vm.dir).sort(),
  }
}
