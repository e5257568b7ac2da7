import { z } from 'zod'
import { bounds } from './bounds.ts'
import { jsonKind } from './json-object.ts'
import { hash, integer, optional, text, uuid } from './schema.ts'

/** Members of every object with a MAC (§4.1): `macKey` is the number of the MDK (writer MAC) or MK (maintenance MAC). */
export const macKey = integer.max(0xffffffff)

/** `.ok`: the manifest is a recovery point. `stamp` is the base of the last W2 reading. Writer MAC. */
const validated = z.object({
  repo: uuid,
  macKey,
  snap: uuid,
  mSha256: hash,
  mBytes: integer,
  stamp: integer,
  passes: integer,
  rescued: integer,
  validatedMs: integer,
  attempt: integer,
})
export type Validated = z.infer<typeof validated>
export const validatedKind = jsonKind('validated', bounds.json.object, validated)

/** `.a`: intent to abandon an unvalidated manifest (§11.4). Maintenance MAC. */
const abandon = z.object({ repo: uuid, macKey, snap: uuid, owner: uuid, ms: integer })
export type AbandonIntent = z.infer<typeof abandon>
export const abandonKind = jsonKind('abandon-intent', bounds.json.object, abandon)

/** `.t`: tombstone; `policy` names the rule that decided. Maintenance MAC. */
const tombstone = z.object({
  repo: uuid,
  macKey,
  snap: uuid,
  reason: z.enum(['retention', 'operator', 'abandoned']),
  policy: optional(text),
  actor: text,
  decidedMs: integer,
})
export type Tombstone = z.infer<typeof tombstone>
export const tombstoneKind = jsonKind('tombstone', bounds.json.object, tombstone)

/** `hold/…`: pin or legal hold (§11.2). Maintenance MAC; counts by its name alone (§3.3). */
const hold = z.object({
  repo: uuid,
  macKey,
  snap: uuid,
  type: z.enum(['pin', 'legal']),
  actor: text,
  reason: text,
  ms: integer,
})
export type Hold = z.infer<typeof hold>
export const holdKind = jsonKind('hold', bounds.json.object, hold)
