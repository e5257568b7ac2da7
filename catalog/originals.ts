import type { OriginalFacts } from '../policy/index.ts'
import type { InstantQueries } from './instants.ts'
import type { ReplicationQueries } from './replications.ts'
import type { VmView } from './vms.ts'

/** What is known of a VM and of its copies. `seen`: where it lives, as somebody has looked. */
export function originalFacts(
  { replications, instants }: { readonly replications: ReplicationQueries; readonly instants: InstantQueries },
  { id, endpointName }: Pick<VmView, 'id' | 'endpointName'>,
  { seen, pointMs, isOfThePast }: Pick<OriginalFacts, 'seen' | 'pointMs' | 'isOfThePast'>,
): OriginalFacts {
  return {
    ...{ where: endpointName, seen, pointMs, isOfThePast },
    standbys: replications.list().filter(({ vmId }) => vmId === id),
    // One that reaches nothing is in nobody's way.
    instants: [...instants.everyOpen()].filter(({ vmId, network }) => vmId === id && network === 'connected'),
  }
}
