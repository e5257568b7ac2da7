import { bounds } from './bounds.ts'
import { formatError } from './errors.ts'
import { parseName, type ObjectName, type ParsedName } from './names.ts'

/** Header of a binary record with its HMAC (§4.7–§4.9), and a whole floor (§4.10). */
const RECORD = 128 + 32
const FLOOR = 96

const byKind: { readonly [K in ParsedName['kind']]: number } = {
  fmt: bounds.json.fmt,
  feat: bounds.json.object,
  'key-slot': bounds.json.keys,
  'key-set': bounds.json.keys,
  pack: bounds.pack.max,
  segment: bounds.segment.size,
  manifest: 128 + bounds.manifest.body,
  validated: bounds.json.object,
  tombstone: bounds.json.object,
  abandon: bounds.json.object,
  hold: bounds.json.object,
  condemned: RECORD + 24 * bounds.condemned.seen + 32 * bounds.condemned.packs,
  final: RECORD + Math.ceil(bounds.condemned.packs / 8),
  roster: RECORD + 16 * bounds.roster,
  floor: FLOOR,
  session: bounds.json.session,
  quarantine: bounds.json.bad,
  owner: bounds.json.object,
  probe: bounds.json.object,
  'probe-tmp': bounds.pack.max,
}

/** §4.12: bytes that an object of this name has at most; what is larger is refused before it is read. */
export function objectBound(name: ObjectName): number {
  const parsed = parseName(name)
  if (parsed === undefined) throw formatError(name, 'fits no kind of §3.2')
  return byKind[parsed.kind]
}
