import { z } from 'zod'
import { bounds } from './bounds.ts'
import { canonicalJson, without, type JsonObject } from './canonical-json.ts'
import { jsonKind } from './json-object.ts'
import { base64url, hash, hexOf, integer, uuid } from './schema.ts'
import { macKey } from './snap-objects.ts'

const sessionType = z.enum(['open', 'journal', 'result', 'commit', 'end'])
export type SessionType = z.infer<typeof sessionType>

const members = {
  repo: uuid,
  macKey,
  sess: uuid,
  part: integer.max(0xffff),
  attempt: integer.min(1).max(0xffff),
  seq: integer.max(0xffffff),
  type: sessionType,
  ms: integer,
  leaseSec: integer,
  /** Of the attempt's S0; a refresh shows in `homes` only. */
  stamp: integer,
  /** Names made durable since the previous object of this attempt, in clear for GC. */
  packs: z.array(hash),
  /** Of level 0. */
  segments: z.array(hash),
}
const sealed = z.object({ no: macKey, nonce: hexOf(12), ct: base64url })
const session = z.object({ ...members, sealed })

/** `sess/…` (§7.1) in clear. Writer MAC; the content by type is sealed. */
export type SessionObject = z.infer<typeof session>
export const sessionKind = jsonKind('session', bounds.json.session, session)

/** All members but the sealed content: what its AAD covers. */
export type SessionClear = Omit<SessionObject, 'sealed'>

/** §7.1: AAD of the sealed content. `raw`: the object with its unknown members. */
export function sessionAad(raw: JsonObject): Buffer {
  return Buffer.concat([Buffer.from('holdfast/r1/sess\0', 'latin1'), canonicalJson(without(raw, 'sealed', 'mac'))])
}
