/**
 * VMs that run before their data is here: overlays on disks that we serve over NBD. The guest's writes stay in the
 * overlay, and `migrate` streams what is served into it until nothing is needed from outside any more.
 */
import type { InstantBoot } from '../../facets.ts'
import type { Host } from '../host.ts'
import { attendInstant } from './attend.ts'
import { bootInstant } from './boot.ts'
import { migrateInstant } from './migrate.ts'

export function instantBoot(host: Host): InstantBoot {
  return {
    boot: (ctx, spec, native, exports, net, reconnect) => bootInstant(host, ctx, spec, native, exports, net, reconnect),
    migrate: (ctx, target) => migrateInstant(host, ctx, target),
    attend: (ctx, target) => attendInstant(host, ctx, target),
  }
}
