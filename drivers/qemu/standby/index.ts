/**
 * VMs that follow another one. Each state is a layer of qcow2 files that becomes the head by one rename of the record, so
 * a cycle that was cut off is never seen by a failover; what runs on a head writes above it.
 */
import type { StandbyTarget } from '../../facets.ts'
import type { Host } from '../host.ts'
import { beginState, inspectStandby, openStateWriter, publishState } from './state.ts'
import { adopt, release, removeStandby, takeOver } from './takeover.ts'
import { endTest, testStandby } from './trial.ts'
import { withdraw } from './withdraw.ts'

export function standbyTarget(host: Host): StandbyTarget {
  return {
    inspect: (ctx) => inspectStandby(host, ctx),
    begin: (ctx, spec, native) => beginState(host, ctx, spec, native),
    openWriter: (ctx, state, disk) => openStateWriter(host, ctx, state, disk),
    publish: (ctx, state, at, refs) => publishState(host, ctx, state, at, refs),
    takeOver: (ctx, operation) => takeOver(host, ctx, operation),
    withdraw: (ctx, operation) => withdraw(host, ctx, operation),
    adopt: (ctx, state, at) => adopt(host, ctx, state, at),
    release: (ctx) => release(host, ctx),
    test: (ctx, standby, name, net) => testStandby(host, ctx, standby, name, net),
    endTest: (ctx, standby) => endTest(host, ctx, standby),
    remove: (ctx) => removeStandby(host, ctx),
  }
}
