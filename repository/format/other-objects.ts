import { z } from 'zod'
import { bounds } from './bounds.ts'
import { demand } from './errors.ts'
import { probeMembers } from './fmt.ts'
import { jsonKind } from './json-object.ts'
import { hash, integer, text, uuid } from './schema.ts'
import { macKey } from './snap-objects.ts'

/** `bad/…`: a pack or some slots of it are damaged (§12.2). Unprotected: a false one costs space, never data. */
const quarantine = z.object({
  repo: uuid,
  pack: hash,
  scope: z.enum(['pack', 'slots']),
  /** Empty if `scope` is "pack", which names every slot. */
  slots: z.array(z.object({ slot: integer.max(bounds.pack.blobs - 1), id: hash })),
  found: z.enum(['L1', 'L2', 'L3', 'L4', 'read']),
  ms: integer,
})
export type Quarantine = z.infer<typeof quarantine>
export const quarantineKind = jsonKind('quarantine', bounds.json.bad, quarantine, (fields, what) => {
  demand(fields.scope === 'slots' || fields.slots.length === 0, what, 'the scope is the pack, yet slots are named')
})

/** `own/…`: which installation protects a series; newest wins. Writer MAC. */
const owner = z.object({ repo: uuid, macKey, series: uuid, installation: uuid, name: text, ms: integer })
export type Owner = z.infer<typeof owner>
export const ownerKind = jsonKind('owner', bounds.json.object, owner)

/** `probe/…`: result of a litmus probe (§14.4). Unprotected. */
const probe = z.object({ repo: uuid, ...probeMembers })
export type Probe = z.infer<typeof probe>
export const probeKind = jsonKind('probe', bounds.json.object, probe)
